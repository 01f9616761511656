package cumulet.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The function that a handler names: {@code package.Class} (one of Lambda's interfaces) or {@code package.Class::method}. What
 * cannot be found answers each invocation, as on AWS; what fails while it is made is an init error.
 */
final class HandlerLoader {
    private final ClassLoader loader;

    private HandlerLoader(ClassLoader loader) {
        this.loader = loader;
    }

    /** @throws Fault an init error */
    static Handler load(String handler, ClassLoader loader) {
        try {
            return new HandlerLoader(loader).find(handler);
        } catch (Fault fault) {
            if (fault.fatal) throw fault;
            return new Handlers.Failing(fault);
        }
    }

    private Handler find(String handler) {
        int colons = handler.lastIndexOf("::");
        String className = colons < 0 ? handler : handler.substring(0, colons);
        String methodName = colons < 0 ? null : handler.substring(colons + 2);
        if (className.isEmpty() || methodName != null && methodName.isEmpty()) throw Fault.of("Invalid handler: `" + handler + "'");
        Class<?> type;
        try {
            type = Class.forName(className, true, loader);
        } catch (ClassNotFoundException error) {
            throw Fault.of("Class not found: " + className, error, false);
        } catch (Throwable error) {
            String message = "Error loading class " + className + (error.getMessage() == null ? "" : ": " + error.getMessage());
            throw Fault.of(message, error, true);
        }
        try {
            return methodName == null ? ofInterface(type) : ofMethod(type, methodName);
        } catch (Fault fault) {
            throw fault;
        } catch (InvocationTargetException error) {
            // The function's own constructor: nothing of it can be used.
            throw Fault.of(error.getCause(), true);
        } catch (Throwable error) {
            throw Fault.of(error, false);
        }
    }

    private Handler ofInterface(Class<?> type) throws Exception {
        if (RequestStreamHandler.class.isAssignableFrom(type)) {
            return new Handlers.Streaming((RequestStreamHandler) create(type));
        }
        if (!RequestHandler.class.isAssignableFrom(type)) {
            throw Fault.of("Class does not implement an appropriate handler interface: " + type.getName());
        }
        Type[] types = Types.argumentsOf(type, RequestHandler.class);
        String complaint = "Class " + type.getName() + " does not implement RequestHandler with concrete type parameters";
        if (types == null) throw Fault.of(complaint);
        for (Type parameter : types) {
            if (parameter instanceof TypeVariable && Types.raw(parameter) == Object.class) {
                throw Fault.of(complaint + ": parameter " + parameter + " has no upper bound.");
            }
        }
        @SuppressWarnings("unchecked")
        RequestHandler<Object, Object> instance = (RequestHandler<Object, Object>) create(type);
        return new Handlers.Interface(Serialization.of(loader), instance, types[0], types[1]);
    }

    private Handler ofMethod(Class<?> type, String name) throws Exception {
        Method[] methods;
        try {
            methods = type.getMethods();
        } catch (NoClassDefFoundError error) {
            throw Fault.of("Error loading method " + name + " on class " + type.getName(), error, false);
        }
        List<Method> candidates = new ArrayList<>();
        for (Method method : methods) if (method.getName().equals(name)) candidates.add(method);
        candidates.sort(PREFERENCE);
        for (Method method : candidates) {
            Handler handler = ofSignature(type, method);
            if (handler != null) return handler;
        }
        throw Fault.of("No public method named " + name + " with appropriate method signature found on class " + type.getName());
    }

    /** AWS: of several methods of the name the longest is taken, a context at its end counting twice; bridges last. */
    private static final Comparator<Method> PREFERENCE = new Comparator<>() {
        @Override
        public int compare(Method a, Method b) {
            if (a.isBridge() != b.isBridge()) return a.isBridge() ? 1 : -1;
            return weight(b) - weight(a);
        }

        private int weight(Method method) {
            Class<?>[] parameters = method.getParameterTypes();
            int length = parameters.length;
            return length > 0 && parameters[length - 1] == Context.class ? length + 1 : length;
        }
    };

    /** Null for a signature that cannot be a handler's, after a word about it in the log. */
    private Handler ofSignature(Class<?> type, Method method) throws Exception {
        Class<?>[] parameters = method.getParameterTypes();
        int length = parameters.length;
        boolean context = length > 0 && parameters[length - 1] == Context.class;
        int data = context ? length - 1 : length;
        if (length > 3) {
            return ignored("an overload of method " + method.getName() + " because it has too many parameters: Expected at most 3, got " + length);
        }
        boolean reads = data > 0 && parameters[0] == InputStream.class;
        boolean writes = data > 0 && parameters[data - 1] == OutputStream.class;
        if (reads || writes) {
            if (data == (reads ? 1 : 0) + (writes ? 1 : 0)) {
                return new Handlers.StreamingMethod(method, instanceFor(type, method), reads, writes, context);
            }
        } else if (data < 2 && (data == 0 || parameters[0] != Context.class)) {
            return new Handlers.PlainMethod(Serialization.of(loader), method, instanceFor(type, method), data == 1, context);
        }
        if (length == 3) return ignored("three-argument overload because argument signature is not (InputStream, OutputStream, Context");
        if (parameters[0] == Context.class) return ignored("two-argument overload because first argument type is Context");
        if (parameters[0] == OutputStream.class) {
            return ignored("two-argument overload because first argument type is OutputStream and second argument type is not Context");
        }
        if (reads) return ignored("two-argument overload because second parameter type, " + parameters[1].getName() + ", is not OutputStream.");
        return ignored("two-argument overload because second parameter type is not Context");
    }

    private static Handler ignored(String what) {
        System.err.println("Ignoring " + what);
        return null;
    }

    private static Object instanceFor(Class<?> type, Method method) throws Exception {
        method.trySetAccessible();
        return Modifier.isStatic(method.getModifiers()) ? null : create(type);
    }

    private static Object create(Class<?> type) throws Exception {
        Constructor<?> constructor;
        try {
            constructor = type.getConstructor();
        } catch (NoSuchMethodException error) {
            if (type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers())) {
                throw new Exception("Class " + type.getName() + " cannot be instantiated because it is a non-static inner class");
            }
            throw new Exception("Class " + type.getName() + " has no public zero-argument constructor", error);
        }
        constructor.trySetAccessible();
        return constructor.newInstance();
    }
}
