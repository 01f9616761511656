package cumulet.runtime;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The properties of a class as Lambda's serialization sees them: public getters, setters of any visibility, public fields; in
 * the order of the fields, those of superclasses first.
 */
final class Shape {
    static final class Property {
        final String name;
        private Field field;
        private Method getter;
        private Method setter;

        Property(String name) {
            this.name = name;
        }

        boolean usable() {
            return readable() || setter != null;
        }

        boolean readable() {
            return getter != null || field != null;
        }

        Object read(Object bean) {
            try {
                return getter != null ? getter.invoke(bean) : field.get(bean);
            } catch (InvocationTargetException error) {
                throw new IllegalStateException(error.getCause().getMessage() + " (through " + bean.getClass().getName() + "." + name + ")", error.getCause());
            } catch (IllegalAccessException error) {
                throw new IllegalStateException(error);
            }
        }

        /** Undefined when it cannot be set. */
        Type settableType() {
            if (setter != null) return setter.getGenericParameterTypes()[0];
            return field == null ? null : field.getGenericType();
        }

        void set(Object bean, Object value) throws ReflectiveOperationException {
            if (setter != null) setter.invoke(bean, value);
            else field.set(bean, value);
        }
    }

    private static final ClassValue<Shape> SHAPES = new ClassValue<>() {
        @Override
        protected Shape computeValue(Class<?> type) {
            return new Shape(type);
        }
    };

    private final Map<String, Property> properties = new LinkedHashMap<>();
    /** Of classes of Lambda's own events, whose properties and JSON names differ in case and hyphens. */
    private final Map<String, Property> byLooseName;
    /** How an instance is made when not by setting properties: the arguments' names and types. */
    final List<String> argumentNames = new ArrayList<>();
    final boolean isEvent;
    private Constructor<?> constructor;
    /** Some of Lambda's own events are inner classes without a use for their outer instance. */
    private boolean needsOuter;
    private final Class<?> type;

    static Shape of(Class<?> type) {
        return SHAPES.get(type);
    }

    private Shape(Class<?> type) {
        this.type = type;
        isEvent = isEvent(type);
        List<Field> fields = fieldsOf(type);
        for (Field field : fields) named(field.getName());
        for (Field field : fields) {
            if (Modifier.isPublic(field.getModifiers()) && !Modifier.isTransient(field.getModifiers())) {
                named(field.getName()).field = accessible(field);
            }
        }
        for (Class<?> at = type; at != null && at != Object.class; at = at.getSuperclass()) {
            for (Method method : at.getDeclaredMethods()) consider(method);
        }
        for (Method method : type.getMethods()) if (method.isDefault()) consider(method);
        for (Iterator<Property> all = properties.values().iterator(); all.hasNext(); ) if (!all.next().usable()) all.remove();
        byLooseName = isEvent ? new LinkedHashMap<>() : null;
        if (isEvent) for (Property property : properties.values()) byLooseName.putIfAbsent(loose(property.name), property);
        chooseConstructor(fields);
    }

    Collection<Property> properties() {
        return properties.values();
    }

    Property property(Object jsonName) {
        Property found = properties.get(jsonName);
        return found != null || byLooseName == null ? found : byLooseName.get(loose((String) jsonName));
    }

    static String loose(String name) {
        return name.replace("-", "").toLowerCase(Locale.ROOT);
    }

    Type[] argumentTypes() {
        return constructor.getGenericParameterTypes();
    }

    Object create(Object... arguments) throws ReflectiveOperationException {
        if (constructor == null) {
            boolean inner = type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers());
            throw new InstantiationException("Cannot construct instance of `" + type.getName() + "` ("
                    + (inner ? "non-static inner classes cannot be instantiated" : "no default constructor") + ")");
        }
        return needsOuter ? constructor.newInstance((Object) null) : constructor.newInstance(arguments);
    }

    private void chooseConstructor(List<Field> fields) {
        if (Modifier.isAbstract(type.getModifiers())) return;
        try {
            if (isRecord()) {
                Object[] components = (Object[]) Class.class.getMethod("getRecordComponents").invoke(type);
                Class<?>[] types = new Class<?>[components.length];
                for (int at = 0; at < components.length; at += 1) {
                    Class<?> component = components[at].getClass();
                    argumentNames.add((String) component.getMethod("getName").invoke(components[at]));
                    types[at] = (Class<?>) component.getMethod("getType").invoke(components[at]);
                }
                constructor = accessible(type.getDeclaredConstructor(types));
            } else if (isEvent && type.getName().contains("S3Event")) {
                // Immutable classes: their constructors take the fields in order.
                for (Constructor<?> candidate : type.getConstructors()) {
                    if (candidate.getParameterCount() == fields.size()) constructor = candidate;
                }
                for (Field field : fields) argumentNames.add(field.getName());
            } else {
                boolean inner = isEvent && type.isMemberClass() && !Modifier.isStatic(type.getModifiers());
                needsOuter = inner;
                constructor = accessible(inner ? type.getDeclaredConstructor(type.getEnclosingClass()) : type.getDeclaredConstructor());
            }
        } catch (ReflectiveOperationException none) {
            constructor = null;
        }
    }

    private boolean isRecord() {
        return type.getSuperclass() != null && type.getSuperclass().getName().equals("java.lang.Record");
    }

    private static boolean isEvent(Class<?> type) {
        String name = type.getName();
        return name.startsWith("com.amazonaws.services.lambda.runtime.events.")
                || name.startsWith("com.amazonaws.services.s3.event.")
                || name.startsWith("com.amazonaws.services.dynamodbv2.model.");
    }

    private static List<Field> fieldsOf(Class<?> type) {
        List<Field> fields = new ArrayList<>();
        if (type.getSuperclass() != null && type.getSuperclass() != Object.class) fields.addAll(fieldsOf(type.getSuperclass()));
        for (Field field : type.getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers()) && !field.isSynthetic()) fields.add(field);
        }
        return fields;
    }

    private void consider(Method method) {
        if (Modifier.isStatic(method.getModifiers()) || method.isSynthetic() || method.isBridge()) return;
        String name = method.getName();
        if (method.getParameterCount() == 1 && name.startsWith("set") && name.length() > 3) {
            Property property = named(beanName(name.substring(3)));
            // Of several, the one that takes what the getter gives.
            boolean better = property.setter == null
                    || property.getter != null && property.getter.getReturnType() == method.getParameterTypes()[0]
                            && property.setter.getDeclaringClass() == method.getDeclaringClass();
            if (better) property.setter = accessible(method);
            return;
        }
        if (method.getParameterCount() != 0 || !Modifier.isPublic(method.getModifiers()) || method.getReturnType() == void.class) return;
        if (isRecord() && properties.containsKey(name)) named(name).getter = accessible(method);
        String property = null;
        if (name.startsWith("get") && name.length() > 3 && !name.equals("getClass")) property = beanName(name.substring(3));
        boolean truth = method.getReturnType() == boolean.class || method.getReturnType() == Boolean.class;
        if (name.startsWith("is") && name.length() > 2 && truth) {
            property = beanName(name.substring(2));
            if (properties.containsKey(property) && properties.get(property).getter != null) return;
        }
        if (property != null && named(property).getter == null) named(property).getter = accessible(method);
    }

    private Property named(String name) {
        Property known = properties.get(name);
        if (known != null) return known;
        Property added = new Property(name);
        properties.put(name, added);
        return added;
    }

    /** As in the JavaBeans specification: `URL` stays, `Name` becomes `name`. */
    private static String beanName(String name) {
        if (name.length() > 1 && Character.isUpperCase(name.charAt(0)) && Character.isUpperCase(name.charAt(1))) return name;
        return Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }

    private static <T extends AccessibleObject & Member> T accessible(T member) {
        member.trySetAccessible();
        return member;
    }
}
