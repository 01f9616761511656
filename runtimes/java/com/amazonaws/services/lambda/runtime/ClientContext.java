package com.amazonaws.services.lambda.runtime;

import java.util.Map;

/** What the caller of Invoke gave as its client context. */
public interface ClientContext {
    Client getClient();

    Map<String, String> getCustom();

    Map<String, String> getEnvironment();
}
