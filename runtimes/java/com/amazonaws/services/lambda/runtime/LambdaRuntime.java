package com.amazonaws.services.lambda.runtime;

/** The logger for code that has no context at hand. */
public final class LambdaRuntime {
    private static volatile LambdaLogger logger = cumulet.runtime.Log.LOGGER;

    private LambdaRuntime() {}

    public static LambdaLogger getLogger() {
        return logger;
    }
}
