package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.BufferedReader;
import java.io.FileReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Handlers of every kind, for the tests. */
public class Functions {
    /** What is ordered. */
    public static class Order {
        public String id;
        private List<Item> items;
        private Integer total;

        public List<Item> getItems() {
            return items;
        }

        public void setItems(List<Item> items) {
            this.items = items;
        }

        public Integer getTotal() {
            return total;
        }

        public void setTotal(Integer total) {
            this.total = total;
        }
    }

    /** A line of an order. */
    public static class Item {
        private String name;
        private int quantity;

        public String getName() {
            return name;
        }

        public void setName(String name) {
            this.name = name;
        }

        public int getQuantity() {
            return quantity;
        }

        public void setQuantity(int quantity) {
            this.quantity = quantity;
        }
    }

    /** {@code example.Functions$Typed}. */
    public static class Typed implements RequestHandler<Order, Order> {
        @Override
        public Order handleRequest(Order order, Context context) {
            order.total = order.items.stream().mapToInt(Item::getQuantity).sum();
            return order;
        }
    }

    /** {@code example.Functions$Streams}. */
    public static class Streams implements RequestStreamHandler {
        @Override
        public void handleRequest(InputStream input, OutputStream output, Context context) throws IOException {
            input.transferTo(output);
        }
    }

    /** Handlers that inherit their types. */
    public abstract static class Base<T> implements RequestHandler<List<T>, T> {
        @Override
        public T handleRequest(List<T> list, Context context) {
            return list.get(list.size() - 1);
        }
    }

    /** {@code example.Functions$Inherits}. */
    public static class Inherits extends Base<Item> {}

    /** Its constructor fails. */
    public static class Unmade implements RequestHandler<Object, Object> {
        public Unmade() {
            throw new IllegalStateException("no way to start");
        }

        @Override
        public Object handleRequest(Object event, Context context) {
            return null;
        }
    }

    /** Its static initializer fails. */
    public static class Uninitialized implements RequestHandler<Object, Object> {
        static final int NUMBER = Integer.parseInt("x");

        @Override
        public Object handleRequest(Object event, Context context) {
            return null;
        }
    }

    /** An ordinary exception of the function's own. */
    public static class Refused extends Exception {
        public Refused(String message, Throwable cause) {
            super(message, cause);
        }
    }

    public Map<String, Object> echo(Map<String, Object> event) {
        return event;
    }

    public String text(String event) {
        return event;
    }

    public int number(int event) {
        return event + 1;
    }

    public static String nothing() {
        return "no event";
    }

    public void silent(Object event) {}

    public String overloaded(String event) {
        return "short";
    }

    public String overloaded(String event, Context context) {
        return "long";
    }

    public void streams(InputStream input, OutputStream output, Context context) throws IOException {
        output.write('"');
        output.write(Integer.toString(input.readAllBytes().length).getBytes());
        output.write('"');
    }

    public Object fails(Map<String, Object> event) throws Exception {
        if ("error".equals(event.get("kind"))) throw new StackOverflowError("as asked");
        if ("cause".equals(event.get("kind"))) throw new Refused("outer", new IllegalArgumentException("inner"));
        if ("silent".equals(event.get("kind"))) throw new NullPointerException();
        if ("bean".equals(event.get("kind"))) return new Object() {
            @SuppressWarnings("unused")
            public int getBroken() {
                throw new IllegalStateException("no value");
            }
        };
        return "ok";
    }

    public Object ends(Map<String, Object> event) throws Exception {
        String how = (String) event.get("how");
        System.out.println("ending by " + how);
        if ("exit".equals(how)) System.exit(7);
        if ("halt".equals(how)) Runtime.getRuntime().halt(3);
        if ("loop".equals(how)) while (true) Thread.onSpinWait();
        if ("heap".equals(how)) {
            List<byte[]> kept = new ArrayList<>();
            while (true) kept.add(new byte[1_000_000]);
        }
        return "ok";
    }

    public Map<String, Object> context(Object event, Context context) {
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("requestId", context.getAwsRequestId());
        seen.put("name", context.getFunctionName());
        seen.put("version", context.getFunctionVersion());
        seen.put("arn", context.getInvokedFunctionArn());
        seen.put("memory", context.getMemoryLimitInMB());
        seen.put("group", context.getLogGroupName());
        seen.put("stream", context.getLogStreamName());
        seen.put("left", context.getRemainingTimeInMillis() > 1_000);
        seen.put("trace", System.getProperty("com.amazonaws.xray.traceHeader"));
        if (context.getIdentity() != null) seen.put("identity", context.getIdentity().getIdentityId());
        if (context.getClientContext() != null) {
            seen.put("title", context.getClientContext().getClient().getAppTitle());
            seen.put("custom", context.getClientContext().getCustom());
            seen.put("env", context.getClientContext().getEnvironment());
        }
        return seen;
    }

    public Map<String, Object> surroundings(Map<String, Object> event) throws Exception {
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("variable", System.getenv("MESSAGE"));
        seen.put("region", System.getenv().get("AWS_REGION"));
        seen.put("ours", System.getenv("CUMULET_LISTEN"));
        seen.put("folder", System.getProperty("user.dir"));
        try (BufferedReader file = new BufferedReader(new FileReader("data/note.txt"))) {
            seen.put("relative", file.readLine());
        }
        seen.put("path", Files.readString(Paths.get("data", "note.txt")));
        try (InputStream resource = Thread.currentThread().getContextClassLoader().getResourceAsStream("data/note.txt")) {
            seen.put("resource", new String(resource.readAllBytes()));
        }
        if (event.get("fetch") == null) seen.put("endpoint", new String(new URL(System.getenv("AWS_ENDPOINT_URL")).openStream().readAllBytes()));
        Process process = new ProcessBuilder("sh", "-c", "echo $MESSAGE; cat data/note.txt").start();
        seen.put("process", new BufferedReader(new InputStreamReader(process.getInputStream())).lines().collect(Collectors.toList()));
        seen.put("property", System.getProperty("asked"));
        seen.put("layer", Class.forName("example.Layered", true, Thread.currentThread().getContextClassLoader()).getMethod("say").invoke(null));
        seen.put("files", Arrays.asList(new java.io.File(".").list()).contains("data"));
        return seen;
    }

    public String logs(Object event, Context context) {
        System.out.println("out é🌍");
        System.err.println("err");
        context.getLogger().log("two\nlines");
        context.getLogger().log("with a level", LogLevel.WARN);
        context.getLogger().log("not important", LogLevel.DEBUG);
        return "logged";
    }

    public String large(Map<String, Object> event) {
        return "x".repeat((Integer) event.get("length"));
    }
}
