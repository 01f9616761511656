package cumulet.runtime;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;

/** Several invocations at once: threads that share one handler, behind the one channel to the platform. */
final class Workers {
    /** Writes one frame; called by one thread at a time. */
    interface Channel {
        void send(int kind, byte[] body) throws IOException;
    }

    private static final int SLOTS = 0x90;
    private static final int RESPONSE = 0x91;
    private static final int ERROR = 0x92;
    private static final int ANSWER_BYTES_MAX = 6_291_556;

    private final LinkedBlockingQueue<byte[]> waiting = new LinkedBlockingQueue<>();
    private final Channel channel;
    private final Handler handler;
    private final InvocationContext.Settings settings;

    Workers(Channel channel, Handler handler, InvocationContext.Settings settings) {
        this.channel = channel;
        this.handler = handler;
        this.settings = settings;
    }

    void start(int slots) throws IOException {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        for (int index = 0; index < slots; index += 1) {
            Thread thread = new Thread(this::work, "Lambda runtime worker " + index);
            thread.setContextClassLoader(loader);
            thread.setDaemon(true);
            thread.start();
        }
        send(SLOTS, new byte[] {(byte) (slots >> 24), (byte) (slots >> 16), (byte) (slots >> 8), (byte) slots});
    }

    void invoke(byte[] body) {
        waiting.add(body);
    }

    private void work() {
        while (true) {
            try {
                run(waiting.take());
            } catch (InterruptedException stray) {
                // The function has interrupted a thread that is not its own any more.
            } catch (IOException gone) {
                // The platform is gone: so is the reason to be here.
                Runtime.getRuntime().halt(0);
            }
        }
    }

    private void run(byte[] body) throws IOException {
        int headerBytes =
                (body[0] & 0xff) << 24 | (body[1] & 0xff) << 16 | (body[2] & 0xff) << 8 | body[3] & 0xff;
        String text = new String(body, 4, headerBytes, StandardCharsets.UTF_8);
        InvocationContext context = new InvocationContext(settings, (Map<?, ?>) Json.parse(text));
        Log.enter(context);
        boolean fatal = false;
        int kind = ERROR;
        byte[] answer;
        try {
            answer = handler.call(body, 4 + headerBytes, context);
            kind = RESPONSE;
        } catch (Fault fault) {
            Log.error(fault.reportable());
            fatal = fault.fatal;
            answer = fault.document();
        } catch (Throwable error) {
            Log.error(Fault.of(error, false).reportable());
            fatal = error instanceof VirtualMachineError;
            answer = Fault.documentOf(error);
        } finally {
            Log.leave();
            Thread.interrupted();
        }
        if (answer.length > ANSWER_BYTES_MAX) {
            kind = ERROR;
            answer = tooLarge();
        }
        byte[] id = context.getAwsRequestId().getBytes(StandardCharsets.ISO_8859_1);
        byte[] named = new byte[1 + id.length + answer.length];
        named[0] = (byte) id.length;
        System.arraycopy(id, 0, named, 1, id.length);
        System.arraycopy(answer, 0, named, 1 + id.length, answer.length);
        send(kind, named);
        // AWS: after these the runtime is not trusted any more.
        if (fatal) Runtime.getRuntime().halt(1);
    }

    private static byte[] tooLarge() {
        String message = "Response payload size exceeded maximum allowed payload size (" + ANSWER_BYTES_MAX + " bytes).";
        String document = "{\"errorType\":\"Function.ResponseSizeTooLarge\",\"errorMessage\":\"" + message + "\"}";
        return document.getBytes(StandardCharsets.UTF_8);
    }

    private synchronized void send(int kind, byte[] body) throws IOException {
        channel.send(kind, body);
    }
}
