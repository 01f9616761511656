package cumulet.runtime;

import com.amazonaws.services.lambda.crac.Core;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOError;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * The Java runtime inside an execution environment. It starts without a function, says that it is ready, and waits to be told
 * which function to become. Frames: length, kind, body.
 */
public final class Bootstrap {
    private static final int BEGIN = 1;
    private static final int INVOKE = 2;
    private static final int RESTORE = 3;
    private static final int READY = 0x81;
    private static final int INITIALIZED = 0x82;
    private static final int INIT_ERROR = 0x83;
    private static final int RESPONSE = 0x84;
    private static final int ERROR = 0x85;
    private static final int FATAL = 0x86;
    private static final int HOOKS_FAILED = 64;
    private static final int CHANNEL_FD = 3;
    private static final int MESSAGES_FD = 4;

    private final DataInputStream input;
    private final OutputStream output;

    private Bootstrap(FileDescriptor channel) {
        input = new DataInputStream(new BufferedInputStream(new FileInputStream(channel), 65_536));
        output = new FileOutputStream(channel);
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0 && arguments[0].equals("rehearse")) {
            // For the list of classes that the archive of this JDK is made from.
            Access.open(FileDescriptor.class.getDeclaredConstructor(int.class));
            for (int act = 0; act < Rehearsal.ACTS; act += 1) Rehearsal.run(act);
            return;
        }
        Log.open(new FileOutputStream(descriptor(MESSAGES_FD)));
        Bootstrap bootstrap = new Bootstrap(descriptor(CHANNEL_FD));
        try {
            bootstrap.serve();
        } catch (EOFException gone) {
            // The platform is gone: so is the reason to be here.
            Runtime.getRuntime().halt(0);
        }
    }

    private void serve() throws IOException {
        send(READY, new byte[0]);
        for (int act = 0; act < Rehearsal.ACTS && input.available() == 0; act += 1) Rehearsal.run(act);
        if (receiveKind() != BEGIN) Runtime.getRuntime().halt(1);
        Map<?, ?> begin = (Map<?, ?>) Json.parse(new String(receiveBody(), StandardCharsets.UTF_8));
        Variables.replace((Map<?, ?>) begin.get("environment"));
        // Where the library org.crac finds hooks.
        System.setProperty("org.crac.Core.Compat", "com.amazonaws.services.lambda.crac");
        Log.configure(begin);
        Handler handler;
        try {
            handler = load(begin);
        } catch (Fault fault) {
            Log.error(fault.reportable());
            send(INIT_ERROR, fault.document());
            System.exit(1);
            return;
        }
        boolean snapStart = "snap-start".equals(System.getenv("AWS_LAMBDA_INITIALIZATION_TYPE"));
        if (snapStart) runHooks(() -> Core.getGlobalContext().beforeCheckpoint(null));
        InvocationContext.Settings settings = new InvocationContext.Settings(begin);
        Map<?, ?> concurrency = (Map<?, ?>) begin.get("concurrency");
        if (concurrency != null) {
            Log.separate();
            Workers workers = new Workers(this::send, handler, settings);
            workers.start(((Number) concurrency.get("slots")).intValue());
            while (true) {
                if (receiveKind() != INVOKE) Runtime.getRuntime().halt(1);
                workers.invoke(receiveBody());
            }
        }
        send(INITIALIZED, new byte[0]);
        while (true) {
            int kind = receiveKind();
            byte[] body = receiveBody();
            if (kind == RESTORE && snapStart) {
                runHooks(() -> Core.getGlobalContext().afterRestore(null));
                send(INITIALIZED, new byte[0]);
                continue;
            }
            if (kind != INVOKE) Runtime.getRuntime().halt(1);
            invoke(handler, settings, body);
        }
    }

    private interface Hooks {
        void run() throws Exception;
    }

    /** What they throw ends the environment, as on AWS. */
    private void runHooks(Hooks hooks) throws IOException {
        try {
            hooks.run();
        } catch (Exception error) {
            Log.error(Fault.of(error, true).reportable());
            send(INIT_ERROR, Fault.documentOf(error));
            System.exit(HOOKS_FAILED);
        }
    }

    private static Handler load(Map<?, ?> begin) {
        String taskRoot = (String) begin.get("taskRoot");
        String layersRoot = (String) begin.get("layersRoot");
        ClassLoader loader = new FunctionClassLoader(taskRoot, layersRoot, Bootstrap.class.getClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        return HandlerLoader.load((String) begin.get("handler"), loader);
    }

    private void invoke(Handler handler, InvocationContext.Settings settings, byte[] body) throws IOException {
        int headerBytes =
                (body[0] & 0xff) << 24 | (body[1] & 0xff) << 16 | (body[2] & 0xff) << 8 | body[3] & 0xff;
        String text = new String(body, 4, headerBytes, StandardCharsets.UTF_8);
        InvocationContext context = new InvocationContext(settings, (Map<?, ?>) Json.parse(text));
        Log.context = context;
        traceHeader(context.getXrayTraceId());
        byte[] answer;
        try {
            answer = handler.call(body, 4 + headerBytes, context);
        } catch (Fault fault) {
            Log.error(fault.reportable());
            fail(fault.fatal, fault.document());
            return;
        } catch (Throwable error) {
            Log.error(Fault.of(error, false).reportable());
            // AWS: after these the runtime is not trusted any more.
            fail(error instanceof VirtualMachineError || error instanceof IOError, Fault.documentOf(error));
            return;
        } finally {
            Thread.interrupted();
        }
        send(RESPONSE, answer);
    }

    private void fail(boolean fatal, byte[] document) throws IOException {
        send(fatal ? FATAL : ERROR, document);
        if (fatal) Runtime.getRuntime().halt(1);
    }

    /** Where AWS's X-Ray SDK looks for it in a runtime that never changes its environment. */
    private static void traceHeader(String traceId) {
        if (traceId == null) System.clearProperty("com.amazonaws.xray.traceHeader");
        else System.setProperty("com.amazonaws.xray.traceHeader", traceId);
    }

    private int bodyBytes;

    private int receiveKind() throws IOException {
        bodyBytes = input.readInt();
        return input.readUnsignedByte();
    }

    private byte[] receiveBody() throws IOException {
        byte[] body = new byte[bodyBytes];
        input.readFully(body);
        return body;
    }

    private void send(int kind, byte[] body) throws IOException {
        byte[] head = {
            (byte) (body.length >> 24), (byte) (body.length >> 16), (byte) (body.length >> 8), (byte) body.length, (byte) kind
        };
        if (body.length > 65_536) {
            output.write(head);
            output.write(body);
            return;
        }
        byte[] frame = new byte[head.length + body.length];
        System.arraycopy(head, 0, frame, 0, head.length);
        System.arraycopy(body, 0, frame, head.length, body.length);
        output.write(frame);
    }

    private static FileDescriptor descriptor(int number) throws ReflectiveOperationException {
        Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);
        return Access.open(constructor).newInstance(number);
    }
}
