package com.amazonaws.services.lambda.crac;

/** What resources have thrown after a restore is in {@link #getSuppressed}. */
public class RestoreException extends Exception {
    private static final long serialVersionUID = 1;
}
