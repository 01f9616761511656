package com.amazonaws.services.lambda.crac;

/** What a function wants done around a snapshot. */
public interface Resource {
    void afterRestore(Context<? extends Resource> context) throws Exception;

    void beforeCheckpoint(Context<? extends Resource> context) throws Exception;
}
