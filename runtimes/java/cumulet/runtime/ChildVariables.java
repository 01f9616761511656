package cumulet.runtime;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The environment variables as the C library has them: what native code sees, and what processes inherit that are started
 * without a word about their environment. Java has no call to change them, so their table is replaced by one of ours.
 */
final class ChildVariables {
    private static final int POINTER_BYTES = 8;

    private ChildVariables() {}

    /** @throws ReflectiveOperationException on JDKs that have no way there: such processes then see what the JVM started with */
    static void replace(Map<?, ?> variables) throws ReflectiveOperationException {
        long table = environ();
        if (table == 0) return;
        List<byte[]> texts = new ArrayList<>();
        int bytes = 0;
        for (Map.Entry<?, ?> entry : variables.entrySet()) {
            byte[] text = (entry.getKey() + "=" + entry.getValue() + "\0").getBytes(StandardCharsets.UTF_8);
            texts.add(text);
            bytes += text.length;
        }
        int pointers = (texts.size() + 1) * POINTER_BYTES;
        boolean internal = Runtime.version().feature() >= 24;
        Class<?> type = Class.forName(internal ? "jdk.internal.misc.Unsafe" : "sun.misc.Unsafe");
        Field instance = type.getDeclaredField("theUnsafe");
        Object unsafe = Access.open(instance).get(null);
        long at = (long) type.getMethod("allocateMemory", long.class).invoke(unsafe, (long) pointers + bytes);
        ByteBuffer memory = ByteBuffer.allocate(pointers + bytes).order(ByteOrder.nativeOrder());
        long next = at + pointers;
        for (byte[] text : texts) {
            memory.putLong(next);
            next += text.length;
        }
        memory.putLong(0);
        for (byte[] text : texts) memory.put(text);
        Number base = (Number) type.getMethod("arrayBaseOffset", Class.class).invoke(unsafe, byte[].class);
        type.getMethod("copyMemory", Object.class, long.class, Object.class, long.class, long.class)
                .invoke(unsafe, memory.array(), base.longValue(), null, at, (long) pointers + bytes);
        type.getMethod("putAddress", long.class, long.class).invoke(unsafe, table, at);
    }

    /** Where the C library keeps the address of its table; the JDK's own way to look symbols up, asked about the whole process. */
    private static long environ() throws ReflectiveOperationException {
        int feature = Runtime.version().feature();
        if (feature >= 18) {
            Class<?> type = Class.forName("jdk.internal.loader.NativeLibrary");
            Method find = Access.open(type.getDeclaredMethod("findEntry0", long.class, String.class));
            return (long) find.invoke(null, 0L, "environ");
        }
        if (feature >= 15) {
            Class<?> type = Class.forName("jdk.internal.loader.NativeLibraries$NativeLibraryImpl");
            Constructor<?> constructor = Access.open(type.getDeclaredConstructors()[0]);
            Object[] arguments = new Object[constructor.getParameterCount()];
            Class<?>[] types = constructor.getParameterTypes();
            for (int at = 0; at < types.length; at += 1) arguments[at] = argument(types[at]);
            Class<?> libraries = Class.forName("jdk.internal.loader.NativeLibraries");
            Method find = Access.open(libraries.getDeclaredMethod("findEntry0", type, String.class));
            return (long) find.invoke(null, constructor.newInstance(arguments), "environ");
        }
        Class<?> type = Class.forName("java.lang.ClassLoader$NativeLibrary");
        Constructor<?> constructor = Access.open(type.getDeclaredConstructor(Class.class, String.class, boolean.class));
        Method find = Access.open(type.getDeclaredMethod("findEntry", String.class));
        return (long) find.invoke(constructor.newInstance(Object.class, "", false), "environ");
    }

    private static Object argument(Class<?> type) {
        if (type == boolean.class) return false;
        return type == String.class ? "" : type == Class.class ? Object.class : null;
    }
}
