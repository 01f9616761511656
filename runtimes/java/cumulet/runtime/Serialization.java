package cumulet.runtime;

import com.amazonaws.services.lambda.runtime.CustomPojoSerializer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.ServiceLoader;

/** Between JSON and objects: the function's own serializer where it provides one, else Lambda's rules. */
final class Serialization {
    private static final byte[] NULL = {'n', 'u', 'l', 'l'};

    private final CustomPojoSerializer own;

    private Serialization(CustomPojoSerializer own) {
        this.own = own;
    }

    static Serialization of(ClassLoader loader) {
        Iterator<CustomPojoSerializer> found = ServiceLoader.load(CustomPojoSerializer.class, loader).iterator();
        CustomPojoSerializer own = found.hasNext() ? found.next() : null;
        if (found.hasNext()) {
            throw Fault.of(new IllegalStateException("Too many serializers provided inside the META-INF/services folder, only one is allowed"), true);
        }
        return new Serialization(own);
    }

    Object read(byte[] event, int from, Type type) {
        if (own != null) return own.fromJson(new ByteArrayInputStream(event, from, event.length - from), type);
        try {
            return Binder.bind(Json.parse(new String(event, from, event.length - from, StandardCharsets.UTF_8)), type);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    byte[] write(Object value, Type type) {
        if (own == null) return value == null ? NULL : Json.write(value).getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        own.toJson(value, output, type);
        return output.toByteArray();
    }

    static boolean isVoid(Type type) {
        return type == void.class || type == Void.class;
    }

    static byte[] nothing() {
        return NULL;
    }
}
