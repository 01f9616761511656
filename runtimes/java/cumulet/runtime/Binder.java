package cumulet.runtime;

import java.io.IOException;
import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * JSON values as objects of a declared type, as Lambda's serialization binds them: unknown members are ignored, single values
 * stand for lists of one, empty strings for absent objects.
 */
final class Binder {
    private Binder() {}

    /** @throws IOException when the value does not fit the type */
    static Object bind(Object value, Type type) throws IOException {
        return bind(value, type, Collections.emptyMap());
    }

    private static Object bind(Object value, Type declared, Map<?, Type> variables) throws IOException {
        Type type = Types.resolve(declared, variables);
        Class<?> raw = Types.raw(type);
        if (value == null) return raw == Optional.class ? Optional.empty() : Scalars.absent(raw);
        if (raw == Object.class) return natural(value);
        if (raw == Optional.class) return Optional.ofNullable(bind(value, argument(type, Optional.class, 0), variables));
        if (Scalars.are(raw)) return Scalars.bind(single(value), raw);
        if (raw.isEnum()) return constant(value, raw);
        if (raw == byte[].class && value instanceof String) return base64((String) value);
        if (ByteBuffer.class.isAssignableFrom(raw) && value instanceof String) return ByteBuffer.wrap(base64((String) value));
        if (raw == char[].class && value instanceof String) return ((String) value).toCharArray();
        if (raw.isArray()) return array(value, type instanceof GenericArrayType ? ((GenericArrayType) type).getGenericComponentType() : raw.getComponentType(), variables);
        if (Map.class.isAssignableFrom(raw)) return map(value, type, raw, variables);
        if (Iterable.class.isAssignableFrom(raw) && raw.isAssignableFrom(ArrayList.class) || Collection.class.isAssignableFrom(raw)) {
            return collection(value, type, raw, variables);
        }
        if (raw.isInstance(value)) return natural(value);
        return bean(value, type, raw);
    }

    /** What an object of no declared type is: in place of every number as it was written, a double. */
    @SuppressWarnings("unchecked")
    private static Object natural(Object value) {
        if (value instanceof Json.Real) return ((Json.Real) value).doubleValue();
        if (value instanceof Map) {
            for (Map.Entry<String, Object> entry : ((Map<String, Object>) value).entrySet()) entry.setValue(natural(entry.getValue()));
        } else if (value instanceof List) {
            List<Object> list = (List<Object>) value;
            for (int at = 0; at < list.size(); at += 1) list.set(at, natural(list.get(at)));
        }
        return value;
    }

    /** A list of one value stands for the value. */
    private static Object single(Object value) {
        return value instanceof List && ((List<?>) value).size() == 1 ? ((List<?>) value).get(0) : value;
    }

    private static Object constant(Object value, Class<?> type) throws IOException {
        for (Object constant : type.getEnumConstants()) {
            Enum<?> candidate = (Enum<?>) constant;
            if (candidate.name().equals(value)) return candidate;
            if (value instanceof Integer && candidate.ordinal() == (Integer) value) return candidate;
        }
        if (value instanceof Map || value instanceof List) throw mismatch(value, type);
        return null;
    }

    private static byte[] base64(String text) throws IOException {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException error) {
            throw new IOException("Cannot decode a value as base64: " + error.getMessage(), error);
        }
    }

    private static Object array(Object value, Type component, Map<?, Type> variables) throws IOException {
        if ("".equals(value)) return null;
        Collection<?> elements = elements(value);
        Object array = Array.newInstance(Types.raw(Types.resolve(component, variables)), elements.size());
        int at = 0;
        for (Object element : elements) {
            Object bound = bind(element, component, variables);
            if (bound != null) Array.set(array, at, bound);
            at += 1;
        }
        return array;
    }

    private static Collection<?> elements(Object value) {
        return value instanceof Collection ? (Collection<?>) value : Collections.singletonList(value);
    }

    private static Object map(Object value, Type type, Class<?> raw, Map<?, Type> variables) throws IOException {
        if (emptyForAbsent(value)) return null;
        if (!(value instanceof Map)) throw mismatch(value, raw);
        Type key = argument(type, Map.class, 0);
        Map<Object, Object> map = raw == EnumMap.class ? enumMap(Types.raw(key)) : castMap(create(raw, mapClass(raw)));
        Type content = argument(type, Map.class, 1);
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
            map.put(bind(entry.getKey(), key, variables), bind(entry.getValue(), content, variables));
        }
        return map;
    }

    private static Class<?> mapClass(Class<?> raw) {
        if (!Modifier.isAbstract(raw.getModifiers())) return raw;
        if (SortedMap.class.isAssignableFrom(raw)) return TreeMap.class;
        if (ConcurrentMap.class.isAssignableFrom(raw)) return ConcurrentHashMap.class;
        return LinkedHashMap.class;
    }

    private static Object collection(Object value, Type type, Class<?> raw, Map<?, Type> variables) throws IOException {
        if ("".equals(value)) return null;
        Type content = argument(type, Iterable.class, 0);
        Collection<Object> collection =
                raw == EnumSet.class ? enumSet(Types.raw(content)) : castCollection(create(raw, collectionClass(raw)));
        for (Object element : elements(value)) collection.add(bind(element, content, variables));
        return collection;
    }

    private static Class<?> collectionClass(Class<?> raw) {
        if (!Modifier.isAbstract(raw.getModifiers())) return raw;
        if (SortedSet.class.isAssignableFrom(raw)) return TreeSet.class;
        if (Set.class.isAssignableFrom(raw)) return HashSet.class;
        if (raw.isAssignableFrom(ArrayList.class)) return ArrayList.class;
        return raw.isAssignableFrom(LinkedList.class) ? LinkedList.class : ArrayDeque.class;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Map<Object, Object> enumMap(Class<?> key) {
        return new EnumMap(key);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Collection<Object> enumSet(Class<?> content) {
        return (Collection) EnumSet.noneOf((Class<Enum>) content);
    }

    @SuppressWarnings("unchecked")
    private static Map<Object, Object> castMap(Object map) {
        return (Map<Object, Object>) map;
    }

    @SuppressWarnings("unchecked")
    private static Collection<Object> castCollection(Object collection) {
        return (Collection<Object>) collection;
    }

    private static Object create(Class<?> declared, Class<?> chosen) throws IOException {
        if (!declared.isAssignableFrom(chosen)) throw new IOException("Cannot construct instance of `" + declared.getName() + "`");
        if (chosen == LinkedHashMap.class) return new LinkedHashMap<>();
        if (chosen == ArrayList.class) return new ArrayList<>();
        try {
            return chosen.getConstructor().newInstance();
        } catch (ReflectiveOperationException error) {
            throw new IOException("Cannot construct instance of `" + chosen.getName() + "`: " + error, error);
        }
    }

    private static Object bean(Object given, Type type, Class<?> raw) throws IOException {
        Object value = single(given);
        if (emptyForAbsent(value)) return null;
        if (!(value instanceof Map)) throw mismatch(value, raw);
        if (raw.isInterface() || Modifier.isAbstract(raw.getModifiers())) {
            throw new IOException("Cannot construct instance of `" + raw.getName()
                    + "` (no Creators, like default constructor, exist): abstract types either need to be mapped to concrete types, have custom deserializer, or contain additional type information");
        }
        Map<?, ?> members = (Map<?, ?>) value;
        Map<?, Type> variables = Types.variables(type);
        Shape shape = Shape.of(raw);
        try {
            if (!shape.argumentNames.isEmpty()) return immutable(shape, members, variables);
            Object bean = shape.create();
            for (Map.Entry<?, ?> member : members.entrySet()) {
                Shape.Property property = shape.property(member.getKey());
                Type wanted = property == null ? null : property.settableType();
                if (wanted == null) continue;
                Object bound = property(shape, member.getValue(), wanted, variables, raw, property.name);
                if (bound != null || !(wanted instanceof Class) || !((Class<?>) wanted).isPrimitive()) property.set(bean, bound);
            }
            return bean;
        } catch (InvocationTargetException error) {
            throw new IOException(String.valueOf(error.getCause().getMessage()), error.getCause());
        } catch (ReflectiveOperationException error) {
            throw new IOException(error.getMessage(), error);
        }
    }

    private static Object property(Shape shape, Object value, Type wanted, Map<?, Type> variables, Class<?> owner, String name)
            throws IOException {
        try {
            // AWS: dates in the events of streams are seconds, everywhere else milliseconds.
            if (shape.isEvent && wanted == java.util.Date.class && value instanceof Number) {
                return new java.util.Date(Math.round(((Number) value).doubleValue() * 1_000));
            }
            return bind(value, wanted, variables);
        } catch (IOException error) {
            if (error.getMessage().contains("(through reference chain: ")) throw error;
            throw new IOException(error.getMessage() + " (through reference chain: " + owner.getName() + "[\"" + name + "\"])", error);
        }
    }

    private static Object immutable(Shape shape, Map<?, ?> members, Map<?, Type> variables)
            throws IOException, ReflectiveOperationException {
        Type[] types = shape.argumentTypes();
        Object[] arguments = new Object[types.length];
        for (int at = 0; at < types.length; at += 1) {
            String name = shape.argumentNames.get(at);
            Object found = members.get(name);
            if (found == null && shape.isEvent) {
                for (Map.Entry<?, ?> member : members.entrySet()) {
                    if (Shape.loose((String) member.getKey()).equals(Shape.loose(name))) found = member.getValue();
                }
            }
            arguments[at] = bind(found, types[at], variables);
        }
        return shape.create(arguments);
    }

    private static boolean emptyForAbsent(Object value) {
        return "".equals(value) || value instanceof List && ((List<?>) value).isEmpty();
    }

    private static Type argument(Type type, Class<?> of, int index) {
        Type[] arguments = Types.argumentsOf(type, of);
        return arguments == null ? Object.class : arguments[index];
    }

    static IOException mismatch(Object value, Class<?> type) {
        String kind = value instanceof Map ? "Object value (token `JsonToken.START_OBJECT`)"
                : value instanceof List ? "Array value (token `JsonToken.START_ARRAY`)"
                : value instanceof String ? "String value (token `JsonToken.VALUE_STRING`)"
                : value instanceof Boolean ? "Boolean value (token `JsonToken.VALUE_" + value.toString().toUpperCase(java.util.Locale.ROOT) + "`)"
                : value instanceof Json.Real ? "Floating-point value (token `JsonToken.VALUE_NUMBER_FLOAT`)"
                : "Integer value (token `JsonToken.VALUE_NUMBER_INT`)";
        return new IOException("Cannot deserialize value of type `" + type.getTypeName() + "` from " + kind);
    }
}
