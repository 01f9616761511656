package com.amazonaws.services.lambda.crac;

/**
 * The hooks of SnapStart for Java, in the package that AWS's runtimes have them in: {@code org.crac} finds them by the system
 * property {@code org.crac.Core.Compat}.
 */
public final class Core {
    private static final Context<Resource> GLOBAL = new OrderedContext();

    private Core() {}

    public static Context<Resource> getGlobalContext() {
        return GLOBAL;
    }

    /** Lambda decides when a snapshot is taken. */
    public static void checkpointRestore() {
        throw new UnsupportedOperationException();
    }
}
