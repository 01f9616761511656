package cumulet.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A function of our own, called before any other: what it loads and warms up, the first invocation need not wait for. */
public final class Rehearsal {
    /** An event with members of the usual kinds. */
    public static final class Event {
        public String name;
        private int count;
        private List<String> tags = new ArrayList<>();
        private Map<String, Object> more;
        private boolean flag;
        private long large;
        private double real;

        public boolean isFlag() {
            return flag;
        }

        public void setFlag(boolean flag) {
            this.flag = flag;
        }

        public long getLarge() {
            return large;
        }

        public void setLarge(long large) {
            this.large = large;
        }

        public double getReal() {
            return real;
        }

        public void setReal(double real) {
            this.real = real;
        }

        public int getCount() {
            return count;
        }

        public void setCount(int count) {
            this.count = count;
        }

        public List<String> getTags() {
            return tags;
        }

        public void setTags(List<String> tags) {
            this.tags = tags;
        }

        public Map<String, Object> getMore() {
            return more;
        }

        public void setMore(Map<String, Object> more) {
            this.more = more;
        }
    }

    /** A typed handler. */
    public static final class Typed implements RequestHandler<Event, Event> {
        @Override
        public Event handleRequest(Event event, Context context) {
            if (event.count < 0) throw new IllegalArgumentException("rehearsed");
            return event;
        }

        /** A handler method. */
        public Map<String, Object> method(Map<String, Object> event, Context context) {
            return event;
        }
    }

    private static final String HEADER =
            "{\"requestId\":\"0\",\"deadlineMs\":1700000000000,\"invokedFunctionArn\":\"arn\",\"traceId\":\"Root=1\"}";
    private static final String EVENT =
            "{\"name\":\"caf\\u00e9\",\"count\":1,\"flag\":true,\"large\":5,\"real\":2.5,\"tags\":[\"a\",\"\\n\"],\"more\":{\"x\":1.5,\"y\":null,\"z\":true,\"n\":12345678901}}";
    private static final String BEGIN = "{\"logGroup\":\"g\",\"logStream\":\"s\",\"functionName\":\"f\",\"functionVersion\":\"1\",\"memoryMb\":128}";

    private Rehearsal() {}

    static final int ACTS = 7;

    /** Acts are short: who waits for the runtime interrupts the rehearsal between them. */
    static void run(int act) {
        if (act == 6) {
            Variables.replace(new HashMap<>(System.getenv()));
            return;
        }
        ClassLoader loader = new FunctionClassLoader("/var/task", "/opt", Rehearsal.class.getClassLoader());
        String name = Typed.class.getName();
        String handler = act < 2 ? name : act < 4 ? name + "::method" : "absent.Class";
        Handler loaded = HandlerLoader.load(handler, loader);
        InvocationContext.Settings settings = new InvocationContext.Settings((Map<?, ?>) Json.parse(BEGIN));
        InvocationContext context = new InvocationContext(settings, (Map<?, ?>) Json.parse(HEADER));
        context.getRemainingTimeInMillis();
        Log.format("rehearsed", LogLevel.INFO);
        String text = act % 2 == 0 ? EVENT : EVENT.replace(":1,", ":-1,");
        byte[] event = text.getBytes(StandardCharsets.UTF_8);
        try {
            loaded.call(event, 0, context);
        } catch (Fault fault) {
            fault.document();
        } catch (Throwable error) {
            Fault.of(error, false).reportable();
            Fault.documentOf(error);
        }
    }
}
