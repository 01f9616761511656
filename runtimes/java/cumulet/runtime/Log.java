package cumulet.runtime;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a function logs. Messages of the context's logger leave whole, at once and in order; what is printed leaves as it is. */
public final class Log {
    /** The logger of every context. */
    public static final LambdaLogger LOGGER = new Logger();

    static volatile InvocationContext context;
    /** With several invocations at once: that of this thread, and of threads that it has started. */
    private static ThreadLocal<InvocationContext> own;
    private static OutputStream messages = OutputStream.nullOutputStream();
    private static boolean json;
    private static LogLevel least = LogLevel.UNDEFINED;

    private Log() {}

    static void open(OutputStream stream) throws IOException {
        messages = stream;
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8"));
        System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.err), true, "UTF-8"));
    }

    /** From here on each thread has an invocation of its own. */
    static void separate() {
        own = new InheritableThreadLocal<>();
    }

    static void enter(InvocationContext entered) {
        own.set(entered);
    }

    static void leave() {
        own.remove();
    }

    static void configure(Map<?, ?> begin) {
        json = "JSON".equals(begin.get("logFormat"));
        Object level = ((Map<?, ?>) begin.get("environment")).get("AWS_LAMBDA_LOG_LEVEL");
        for (LogLevel known : LogLevel.values()) {
            if (level instanceof String && known.name().equalsIgnoreCase((String) level)) least = known;
        }
    }

    /** An error that the function did not catch. */
    static void error(String text) {
        write(text, json ? LogLevel.ERROR : LogLevel.UNDEFINED);
    }

    static String format(String message, LogLevel level) {
        if (!json) return level == LogLevel.UNDEFINED ? message : "[" + level + "] " + message;
        Map<String, Object> line = new LinkedHashMap<>();
        String now = Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
        // Instant leaves zero milliseconds out.
        line.put("timestamp", now.length() == 20 ? now.substring(0, 19) + ".000Z" : now);
        line.put("message", message);
        line.put("level", level.name());
        InvocationContext current = own == null ? context : own.get();
        if (current != null) line.put("AWSRequestId", current.getAwsRequestId());
        return Json.write(line) + "\n";
    }

    private static void write(String message, LogLevel level) {
        if (level != LogLevel.UNDEFINED && level.compareTo(least) < 0) return;
        write(format(String.valueOf(message), level).getBytes(StandardCharsets.UTF_8));
    }

    private static synchronized void write(byte[] message) {
        int bytes = message.length;
        byte[] frame = new byte[4 + bytes];
        frame[0] = (byte) (bytes >> 24);
        frame[1] = (byte) (bytes >> 16);
        frame[2] = (byte) (bytes >> 8);
        frame[3] = (byte) bytes;
        System.arraycopy(message, 0, frame, 4, bytes);
        try {
            messages.write(frame);
        } catch (IOException gone) {
            // Nobody is there to read it.
        }
    }

    private static final class Logger implements LambdaLogger {
        @Override
        public void log(String message) {
            write(message, LogLevel.UNDEFINED);
        }

        @Override
        public void log(byte[] message) {
            write(message);
        }

        @Override
        public void log(String message, LogLevel level) {
            write(message, level);
        }

        @Override
        public void log(byte[] message, LogLevel level) {
            if (level == LogLevel.UNDEFINED || level.compareTo(least) >= 0) write(message);
        }
    }
}
