package cumulet.runtime;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An error as Lambda answers and logs it. Source: "AWS Lambda function errors in Java" in the developer guide, and what the
 * open-source runtime interface client for Java says for handlers that cannot be loaded.
 */
@SuppressWarnings("serial")
final class Fault extends RuntimeException {
    private static final String OWN_PACKAGE = "cumulet.runtime.";

    private final String type;
    private final String trace;
    /** Ends the environment; in the init phase it is an init error, otherwise each invocation answers it. */
    final boolean fatal;

    Fault(String message, String type, String trace, boolean fatal) {
        super(message, null, false, false);
        this.type = type;
        this.trace = trace;
        this.fatal = fatal;
    }

    static Fault of(String message) {
        return new Fault(message, null, null, false);
    }

    static Fault of(Throwable error, boolean fatal) {
        return of(messageOf(error), error, fatal);
    }

    static Fault of(String message, Throwable error, boolean fatal) {
        StringWriter text = new StringWriter();
        withoutRuntime(error).printStackTrace(new PrintWriter(text));
        return new Fault(message, error.getClass().getName(), text.toString(), fatal);
    }

    /** As the log has it. */
    String reportable() {
        if (type == null && trace == null) return getMessage() + "\n";
        return getMessage() + ": " + (type == null ? "" : type) + "\n" + (trace == null ? "" : trace) + "\n";
    }

    byte[] document() {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("errorMessage", getMessage());
        if (type != null) document.put("errorType", type);
        return encode(document);
    }

    static byte[] documentOf(Throwable error) {
        return encode(describe(withoutRuntime(error), identitySet()));
    }

    private static byte[] encode(Map<String, Object> document) {
        return Json.write(document).getBytes(StandardCharsets.UTF_8);
    }

    private static Map<String, Object> describe(Throwable error, Set<Throwable> seen) {
        seen.add(error);
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("errorMessage", messageOf(error));
        document.put("errorType", error.getClass().getName());
        List<Object> trace = new ArrayList<>();
        for (StackTraceElement element : error.getStackTrace()) trace.add(element.toString());
        document.put("stackTrace", trace);
        Throwable cause = error.getCause();
        if (cause != null && !seen.contains(cause)) document.put("cause", describe(cause, seen));
        return document;
    }

    private static String messageOf(Throwable error) {
        String message = error.getLocalizedMessage();
        return message == null ? error.getClass().getName() : message;
    }

    /** The traces of an error and of all it carries end where this runtime's own calls begin. */
    static <T extends Throwable> T withoutRuntime(T error) {
        cut(error, identitySet());
        return error;
    }

    private static void cut(Throwable error, Set<Throwable> seen) {
        if (error == null || !seen.add(error)) return;
        StackTraceElement[] trace = error.getStackTrace();
        for (int at = 0; at < trace.length; at += 1) {
            if (!trace[at].getClassName().startsWith(OWN_PACKAGE)) continue;
            error.setStackTrace(java.util.Arrays.copyOf(trace, at));
            break;
        }
        cut(error.getCause(), seen);
        for (Throwable suppressed : error.getSuppressed()) cut(suppressed, seen);
    }

    private static Set<Throwable> identitySet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }
}
