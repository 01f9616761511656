package cumulet.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;

/** The kinds of handlers. Classes, not lambdas: those would have to be spun when the runtime starts. */
final class Handlers {
    private Handlers() {}

    /** A handler that could not be found. */
    static final class Failing implements Handler {
        private final Fault fault;

        Failing(Fault fault) {
            this.fault = fault;
        }

        @Override
        public byte[] call(byte[] event, int from, Context context) {
            throw fault;
        }
    }

    static final class Streaming implements Handler {
        private final RequestStreamHandler handler;

        Streaming(RequestStreamHandler handler) {
            this.handler = handler;
        }

        @Override
        public byte[] call(byte[] event, int from, Context context) throws Throwable {
            ByteArrayOutputStream output = new ByteArrayOutputStream();
            handler.handleRequest(stream(event, from), output, context);
            return output.toByteArray();
        }
    }

    static final class StreamingMethod implements Handler {
        private final Method method;
        private final Object instance;
        private final boolean reads;
        private final boolean writes;
        private final boolean context;

        StreamingMethod(Method method, Object instance, boolean reads, boolean writes, boolean context) {
            this.method = method;
            this.instance = instance;
            this.reads = reads;
            this.writes = writes;
            this.context = context;
        }

        @Override
        public byte[] call(byte[] event, int from, Context given) throws Throwable {
            ByteArrayOutputStream output = new ByteArrayOutputStream();
            Object[] arguments = new Object[method.getParameterCount()];
            int at = 0;
            if (reads) arguments[at++] = stream(event, from);
            if (writes) arguments[at++] = output;
            if (context) arguments[at] = given;
            invoke(method, instance, arguments);
            return output.toByteArray();
        }
    }

    /** Between bytes and objects of the declared types. */
    abstract static class Typed implements Handler {
        private final Serialization serialization;
        private final Type inputType;
        private final Type outputType;

        /** @param inputType null for a handler that takes no event */
        Typed(Serialization serialization, Type inputType, Type outputType) {
            this.serialization = serialization;
            this.inputType = inputType;
            this.outputType = outputType;
        }

        abstract Object handle(Object input, Context context) throws Throwable;

        @Override
        public byte[] call(byte[] event, int from, Context context) throws Throwable {
            Object input;
            try {
                input = inputType == null ? null : serialization.read(event, from, inputType);
            } catch (Throwable error) {
                throw new RuntimeException("An error occurred during JSON parsing", error);
            }
            Object output = handle(input, context);
            try {
                return Serialization.isVoid(outputType) ? Serialization.nothing() : serialization.write(output, outputType);
            } catch (Throwable error) {
                throw new RuntimeException("An error occurred during JSON serialization of response", error);
            }
        }
    }

    static final class Interface extends Typed {
        private final RequestHandler<Object, Object> handler;

        Interface(Serialization serialization, RequestHandler<Object, Object> handler, Type inputType, Type outputType) {
            super(serialization, inputType, outputType);
            this.handler = handler;
        }

        @Override
        Object handle(Object input, Context context) {
            return handler.handleRequest(input, context);
        }
    }

    static final class PlainMethod extends Typed {
        private final Method method;
        private final Object instance;
        private final boolean input;
        private final boolean context;

        PlainMethod(Serialization serialization, Method method, Object instance, boolean input, boolean context) {
            super(serialization, input ? method.getGenericParameterTypes()[0] : null, method.getGenericReturnType());
            this.method = method;
            this.instance = instance;
            this.input = input;
            this.context = context;
        }

        @Override
        Object handle(Object value, Context given) throws Throwable {
            if (input) return context ? invoke(method, instance, value, given) : invoke(method, instance, value);
            return context ? invoke(method, instance, given) : invoke(method, instance);
        }
    }

    private static InputStream stream(byte[] event, int from) {
        return new ByteArrayInputStream(event, from, event.length - from);
    }

    private static Object invoke(Method method, Object instance, Object... arguments) throws Throwable {
        try {
            return method.invoke(instance, arguments);
        } catch (InvocationTargetException error) {
            throw error.getCause() == null ? error : error.getCause();
        }
    }
}
