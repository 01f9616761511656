package cumulet.runtime;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Field;

/** The way to what the JDK keeps to itself. */
final class Access {
    private Access() {}

    static <T extends AccessibleObject> T open(T member) throws ReflectiveOperationException {
        if (!member.trySetAccessible()) override(member);
        return member;
    }

    /**
     * JDKs before 24 are not started with `--add-opens`, which would cost them their archive of the module system: there the
     * flag that such an option would let us set is set where it lies. Its place is that of the first field of any class.
     */
    private static void override(AccessibleObject member) throws ReflectiveOperationException {
        Class<?> type = Class.forName("sun.misc.Unsafe");
        Field instance = type.getDeclaredField("theUnsafe");
        instance.setAccessible(true);
        Object unsafe = instance.get(null);
        Field first = Likeness.class.getDeclaredField("override");
        Object place = type.getMethod("objectFieldOffset", Field.class).invoke(unsafe, first);
        type.getMethod("putBoolean", Object.class, long.class, boolean.class).invoke(unsafe, member, place, true);
    }

    /** Laid out as AccessibleObject is. */
    @SuppressWarnings("unused")
    private static class Likeness {
        boolean override;
        volatile Object accessCheckCache;
    }
}
