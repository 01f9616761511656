package cumulet.runtime;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.util.Map;

/** The environment variables of a process that started before it was told its function's. */
final class Variables {
    private Variables() {}

    /** System.getenv, and what processes are given, is this and nothing else from here on. */
    @SuppressWarnings("unchecked")
    static void replace(Map<?, ?> variables) {
        try {
            Class<?> environment = Class.forName("java.lang.ProcessEnvironment");
            Field field = environment.getDeclaredField("theEnvironment");
            Constructor<?> view = Class.forName("java.lang.ProcessEnvironment$StringEnvironment")
                    .getDeclaredConstructor(Map.class);
            Map<String, String> current =
                    (Map<String, String>) Access.open(view).newInstance(Access.open(field).get(null));
            current.clear();
            for (Map.Entry<?, ?> entry : variables.entrySet()) {
                current.put((String) entry.getKey(), (String) entry.getValue());
            }
            try {
                ChildVariables.replace(variables);
            } catch (ReflectiveOperationException | RuntimeException unknown) {
                // Processes started without a word about their environment have the JVM's.
            }
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("The variables cannot be set on this JDK", error);
        }
    }
}
