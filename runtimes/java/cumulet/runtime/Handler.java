package cumulet.runtime;

import com.amazonaws.services.lambda.runtime.Context;

/** A function, whatever kind of handler it has. */
interface Handler {
    /** @param event the invocation's payload: JSON text from {@code from} to the end */
    byte[] call(byte[] event, int from, Context context) throws Throwable;
}
