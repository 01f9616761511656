package com.amazonaws.services.lambda.runtime;

/** A handler of typed input and output. */
public interface RequestHandler<I, O> {
    O handleRequest(I input, Context context);
}
