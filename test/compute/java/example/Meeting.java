package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;

/** Invocations at once: each waits for another. */
public class Meeting implements RequestHandler<Map<String, Object>, String> {
    private final CyclicBarrier both = new CyclicBarrier(2);

    public String handleRequest(Map<String, Object> event, Context context) {
        if (event.containsKey("fail")) throw new IllegalStateException("as asked");
        if (!event.containsKey("wait")) return "alone";
        context.getLogger().log("waits", LogLevel.WARN);
        try {
            both.await();
        } catch (Exception error) {
            throw new RuntimeException(error);
        }
        return "met";
    }
}
