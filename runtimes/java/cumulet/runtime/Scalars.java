package cumulet.runtime;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.net.URL;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Calendar;
import java.util.Date;
import java.util.GregorianCalendar;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.UUID;

/** Types that one JSON string, number or truth value becomes. */
final class Scalars {
    private Scalars() {}

    private static final List<Class<?>> LOCAL = List.of(LocalDate.class, LocalDateTime.class, LocalTime.class);

    static boolean are(Class<?> type) {
        return type.isPrimitive() || KNOWN.contains(type) || type.getName().equals("org.joda.time.DateTime");
    }

    private static final List<Class<?>> KNOWN = List.of(
            String.class, CharSequence.class, Integer.class, Long.class, Double.class, Boolean.class, Float.class, Short.class,
            Byte.class, Character.class, Number.class, BigDecimal.class, BigInteger.class, Date.class, Calendar.class,
            Instant.class, LocalDate.class, LocalDateTime.class, LocalTime.class, OffsetDateTime.class, ZonedDateTime.class,
            Duration.class, ZoneId.class, UUID.class, URI.class, URL.class, Locale.class, TimeZone.class);

    /** What an absent value is: zero for primitives. */
    static Object absent(Class<?> type) {
        if (!type.isPrimitive() || type == void.class) return null;
        if (type == boolean.class) return false;
        if (type == char.class) return '\0';
        return number(0, type);
    }

    static Object bind(Object value, Class<?> type) throws IOException {
        if (value == null) return absent(type);
        if (value instanceof Map || value instanceof List) {
            if (value instanceof List && ((List<?>) value).isEmpty() && !type.isPrimitive()) return null;
            if (value instanceof List && LOCAL.contains(type)) return local((List<?>) value, type);
            throw Binder.mismatch(value, type);
        }
        if (type == String.class || type == CharSequence.class) return value.toString();
        try {
            if (value instanceof String && ((String) value).trim().isEmpty() && type != char.class && type != Character.class) return absent(type);
            if (type == boolean.class || type == Boolean.class) return truth(value, type);
            if (type == char.class || type == Character.class) return character(value, type);
            if (isNumber(type)) return number(value, type);
            return value instanceof Number ? fromNumber((Number) value, type) : fromText(value, type);
        } catch (NumberFormatException error) {
            throw new IOException("Cannot deserialize value of type `" + type.getName() + "` from String \"" + value + "\": not a valid `" + type.getName() + "` value");
        } catch (IllegalArgumentException | DateTimeException | ReflectiveOperationException | java.net.MalformedURLException error) {
            Throwable why = error instanceof InvocationTargetException ? error.getCause() : error;
            throw new IOException("Cannot deserialize value of type `" + type.getName() + "` from \"" + value + "\": " + why.getMessage(), why);
        }
    }

    private static boolean isNumber(Class<?> type) {
        return type.isPrimitive() || Number.class.isAssignableFrom(type);
    }

    private static Object truth(Object value, Class<?> type) throws IOException {
        if (value instanceof Boolean) return value;
        if (value instanceof Integer || value instanceof Long) return ((Number) value).longValue() != 0;
        String text = value.toString().trim();
        if (text.equalsIgnoreCase("true")) return true;
        if (text.equalsIgnoreCase("false")) return false;
        throw new IOException("Cannot deserialize value of type `" + type.getName() + "` from String \"" + value + "\": only \"true\" or \"false\" recognized");
    }

    private static Object character(Object value, Class<?> type) throws IOException {
        if (value instanceof Integer) return (char) (int) (Integer) value;
        String text = value.toString();
        if (text.length() == 1) return text.charAt(0);
        if (text.isEmpty()) return absent(type);
        throw Binder.mismatch(value, type);
    }

    private static Object number(Object value, Class<?> type) throws IOException {
        if (value instanceof Boolean) throw Binder.mismatch(value, type);
        if (type == BigDecimal.class) return new BigDecimal(value.toString().trim());
        if (type == Number.class) return value instanceof Json.Real ? (Object) ((Json.Real) value).doubleValue() : value instanceof Number ? value : new BigDecimal(value.toString().trim());
        Number given = value instanceof Number ? (Number) value : text(value.toString().trim(), type);
        if (type == BigInteger.class) return given instanceof BigInteger ? given : BigInteger.valueOf(given.longValue());
        long whole = given.longValue();
        boolean fits = type == double.class || type == Double.class || type == float.class || type == Float.class
                || !(given instanceof BigInteger)
                        && ((type != int.class && type != Integer.class || whole == (int) whole)
                                && (type != short.class && type != Short.class || whole == (short) whole)
                                && (type != byte.class && type != Byte.class || whole >= Byte.MIN_VALUE && whole <= 255));
        if (!fits) throw new IOException("Numeric value (" + value + ") out of range of " + type.getSimpleName());
        return number(given, type);
    }

    private static Number text(String text, Class<?> type) {
        if (type == double.class || type == Double.class || type == float.class || type == Float.class) return Double.valueOf(text);
        return new BigInteger(text).bitLength() < 64 ? (Number) Long.valueOf(text) : new BigInteger(text);
    }

    private static Object number(Number given, Class<?> type) {
        if (type == int.class || type == Integer.class) return given.intValue();
        if (type == long.class || type == Long.class) return given.longValue();
        if (type == double.class || type == Double.class) return given.doubleValue();
        if (type == float.class || type == Float.class) return given.floatValue();
        if (type == short.class || type == Short.class) return given.shortValue();
        return given.byteValue();
    }

    private static Object fromNumber(Number value, Class<?> type) throws IOException, ReflectiveOperationException {
        if (type == Date.class) return new Date(value.longValue());
        if (type == Calendar.class) {
            Calendar calendar = new GregorianCalendar(TimeZone.getTimeZone("UTC"));
            calendar.setTimeInMillis(value.longValue());
            return calendar;
        }
        if (type == Duration.class || type == Instant.class || type == OffsetDateTime.class || type == ZonedDateTime.class) {
            BigDecimal seconds = new BigDecimal(value.toString());
            long whole = seconds.longValue();
            int nanos = seconds.subtract(BigDecimal.valueOf(whole)).movePointRight(9).intValue();
            if (type == Duration.class) return Duration.ofSeconds(whole, nanos);
            Instant instant = Instant.ofEpochSecond(whole, nanos);
            if (type == Instant.class) return instant;
            return type == OffsetDateTime.class ? instant.atOffset(ZoneOffset.UTC) : instant.atZone(ZoneOffset.UTC);
        }
        if (type == LocalDate.class) return LocalDate.ofEpochDay(value.longValue());
        if (type.getName().equals("org.joda.time.DateTime")) return type.getConstructor(long.class).newInstance(value.longValue());
        throw Binder.mismatch(value, type);
    }

    private static Object fromText(Object value, Class<?> type)
            throws IOException, ReflectiveOperationException, java.net.MalformedURLException {
        if (!(value instanceof String)) throw Binder.mismatch(value, type);
        String text = ((String) value).trim();
        if (type == Date.class) return Date.from(instant(text));
        if (type == Calendar.class) return GregorianCalendar.from(instant(text).atZone(ZoneOffset.UTC));
        if (type == Instant.class) return instant(text);
        if (type == LocalDate.class) return LocalDate.parse(text.length() > 10 ? text.substring(0, 10) : text);
        if (type == LocalDateTime.class) return LocalDateTime.parse(text.endsWith("Z") ? text.substring(0, text.length() - 1) : text);
        if (type == LocalTime.class) return LocalTime.parse(text);
        if (type == OffsetDateTime.class) return OffsetDateTime.parse(text).withOffsetSameInstant(ZoneOffset.UTC);
        if (type == ZonedDateTime.class) return ZonedDateTime.parse(text).withZoneSameInstant(ZoneId.of("UTC"));
        if (type == Duration.class) return Duration.parse(text);
        if (type == ZoneId.class) return ZoneId.of(text);
        if (type == UUID.class) return UUID.fromString(text);
        if (type == URI.class) return URI.create(text);
        if (type == URL.class) return new URL(text);
        if (type == Locale.class) return Locale.forLanguageTag(text.replace('_', '-'));
        if (type == TimeZone.class) return TimeZone.getTimeZone(text);
        return type.getMethod("parse", String.class).invoke(null, text);
    }

    /** Arrays of parts, as they are written. */
    private static Object local(List<?> parts, Class<?> type) throws IOException {
        int[] numbers = new int[7];
        for (int at = 0; at < parts.size() && at < 7; at += 1) {
            if (!(parts.get(at) instanceof Integer)) throw Binder.mismatch(parts.get(at), type);
            numbers[at] = (Integer) parts.get(at);
        }
        try {
            if (type == LocalTime.class) return LocalTime.of(numbers[0], numbers[1], numbers[2], numbers[3]);
            LocalDate date = LocalDate.of(numbers[0], numbers[1], numbers[2]);
            return type == LocalDate.class ? date : date.atTime(numbers[3], numbers[4], numbers[5], numbers[6]);
        } catch (DateTimeException error) {
            throw new IOException(error.getMessage(), error);
        }
    }

    /** ISO 8601, with or without a time, with any offset, colon or not. */
    private static Instant instant(String text) {
        if (text.length() == 10) return LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant();
        String colon = text.replaceFirst("([+-]\\d\\d)(\\d\\d)$", "$1:$2");
        if (colon.matches(".*(Z|[+-]\\d\\d:\\d\\d)$")) return OffsetDateTime.parse(colon).toInstant();
        return LocalDateTime.parse(colon).toInstant(ZoneOffset.UTC);
    }
}
