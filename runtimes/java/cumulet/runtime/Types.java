package cumulet.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

/** Questions about generic types. */
final class Types {
    private Types() {}

    static Class<?> raw(Type type) {
        if (type instanceof Class) return (Class<?>) type;
        if (type instanceof ParameterizedType) return (Class<?>) ((ParameterizedType) type).getRawType();
        if (type instanceof GenericArrayType) {
            return Array.newInstance(raw(((GenericArrayType) type).getGenericComponentType()), 0).getClass();
        }
        if (type instanceof WildcardType) return raw(((WildcardType) type).getUpperBounds()[0]);
        return raw(((TypeVariable<?>) type).getBounds()[0]);
    }

    /** The type with variables and wildcards replaced by what they stand for, or by their bounds. */
    static Type resolve(Type type, Map<?, Type> variables) {
        if (type instanceof TypeVariable) {
            Type found = variables.get(type);
            return found != null ? found : resolve(((TypeVariable<?>) type).getBounds()[0], variables);
        }
        if (type instanceof WildcardType) return resolve(((WildcardType) type).getUpperBounds()[0], variables);
        if (!(type instanceof ParameterizedType) || variables.isEmpty()) return type;
        ParameterizedType generic = (ParameterizedType) type;
        Type[] arguments = generic.getActualTypeArguments();
        for (int at = 0; at < arguments.length; at += 1) arguments[at] = resolve(arguments[at], variables);
        return new Resolved(raw(type), arguments);
    }

    /** What the type variables of a class stand for in this type. */
    static Map<?, Type> variables(Type type) {
        if (!(type instanceof ParameterizedType)) return Collections.emptyMap();
        return variables(raw(type), ((ParameterizedType) type).getActualTypeArguments());
    }

    private static Map<TypeVariable<?>, Type> variables(Class<?> raw, Type[] arguments) {
        Map<TypeVariable<?>, Type> variables = new HashMap<>();
        TypeVariable<?>[] names = raw.getTypeParameters();
        for (int at = 0; at < names.length && at < arguments.length; at += 1) variables.put(names[at], arguments[at]);
        return variables;
    }

    /** The type arguments that a type gives to one of its supertypes; null when it gives none. */
    static Type[] argumentsOf(Type type, Class<?> supertype) {
        Class<?> raw = raw(type);
        if (raw == supertype) {
            return type instanceof ParameterizedType ? ((ParameterizedType) type).getActualTypeArguments() : null;
        }
        Map<?, Type> variables = variables(type);
        for (Type parent : raw.getGenericInterfaces()) {
            if (!supertype.isAssignableFrom(raw(parent))) continue;
            Type[] found = argumentsOf(resolveKeeping(parent, variables), supertype);
            if (found != null) return found;
        }
        Type parent = raw.getGenericSuperclass();
        if (parent == null || !supertype.isAssignableFrom(raw(parent))) return null;
        return argumentsOf(resolveKeeping(parent, variables), supertype);
    }

    /** As resolve, but variables that nothing is known of stay. */
    private static Type resolveKeeping(Type type, Map<?, Type> variables) {
        if (!(type instanceof ParameterizedType)) return type;
        Type[] arguments = ((ParameterizedType) type).getActualTypeArguments();
        for (int at = 0; at < arguments.length; at += 1) {
            if (arguments[at] instanceof TypeVariable) {
                Type found = variables.get(arguments[at]);
                if (found != null) arguments[at] = found;
            } else if (!(arguments[at] instanceof WildcardType)) {
                arguments[at] = resolve(arguments[at], variables);
            }
        }
        return new Resolved(raw(type), arguments);
    }

    private static final class Resolved implements ParameterizedType {
        private final Class<?> raw;
        private final Type[] arguments;

        Resolved(Class<?> raw, Type[] arguments) {
            this.raw = raw;
            this.arguments = arguments;
        }

        @Override
        public Type[] getActualTypeArguments() {
            return arguments.clone();
        }

        @Override
        public Type getRawType() {
            return raw;
        }

        @Override
        public Type getOwnerType() {
            return raw.getDeclaringClass();
        }

        @Override
        public String toString() {
            return raw.getName() + Arrays.toString(arguments);
        }
    }
}
