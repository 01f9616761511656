package com.amazonaws.services.lambda.crac;

/** What resources have thrown before a snapshot is in {@link #getSuppressed}. */
public class CheckpointException extends Exception {
    private static final long serialVersionUID = 1;
}
