package cumulet.runtime;

import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.Year;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoField;
import java.time.temporal.Temporal;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Calendar;
import java.util.Date;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TimeZone;

/**
 * Objects as JSON text, as Lambda's serialization writes them: beans by their getters and public fields in the order of their
 * fields, members and map entries that are null left out, dates as numbers, bytes as base64.
 */
final class JsonWriter {
    private static final char[] HEX = "0123456789ABCDEF".toCharArray();
    private static final int DEPTH_MAX = 1_000;

    private final StringBuilder out = new StringBuilder(256);
    private int depth;

    StringBuilder write(Object value) {
        if (value == null) return out.append("null");
        if (value instanceof CharSequence || value instanceof Character) return string(value.toString());
        if (value instanceof Boolean) return out.append(value);
        if (value instanceof Number) return number((Number) value);
        if (value instanceof Enum) return string(((Enum<?>) value).name());
        if (value instanceof byte[]) return string(Base64.getEncoder().encodeToString((byte[]) value));
        if (value instanceof char[]) return string(new String((char[]) value));
        depth += 1;
        if (depth > DEPTH_MAX) {
            throw new IllegalStateException("Document nesting depth exceeds " + DEPTH_MAX + ", at " + value.getClass().getName());
        }
        if (value instanceof Map) object((Map<?, ?>) value);
        else if (value instanceof Iterable && !(value instanceof java.nio.file.Path)) array(((Iterable<?>) value).iterator());
        else if (value instanceof Iterator) array((Iterator<?>) value);
        else if (value.getClass().isArray()) array(elements(value));
        else if (!known(value)) bean(value);
        depth -= 1;
        return out;
    }

    private void object(Map<?, ?> map) {
        out.append('{');
        boolean first = true;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            if (entry.getValue() == null) continue;
            if (entry.getKey() == null) throw new IllegalStateException("A map with a null key cannot be written as JSON");
            first = name(first, keyOf(entry.getKey()));
            write(entry.getValue());
        }
        out.append('}');
    }

    private static String keyOf(Object key) {
        if (key instanceof Enum) return ((Enum<?>) key).name();
        return key.toString();
    }

    private void array(Iterator<?> elements) {
        out.append('[');
        for (boolean first = true; elements.hasNext(); first = false) {
            if (!first) out.append(',');
            write(elements.next());
        }
        out.append(']');
    }

    private static Iterator<?> elements(Object array) {
        List<Object> list = new ArrayList<>();
        for (int at = 0; at < Array.getLength(array); at += 1) list.add(Array.get(array, at));
        return list.iterator();
    }

    private void bean(Object bean) {
        out.append('{');
        boolean first = true;
        for (Shape.Property property : Shape.of(bean.getClass()).properties()) {
            if (!property.readable()) continue;
            Object value = property.read(bean);
            if (value == null) continue;
            if (value == bean) {
                throw new IllegalStateException("Direct self-reference leading to cycle: " + bean.getClass().getName() + "." + property.name);
            }
            first = name(first, property.name);
            write(value);
        }
        out.append('}');
    }

    private boolean name(boolean first, String name) {
        if (!first) out.append(',');
        string(name);
        out.append(':');
        return false;
    }

    private StringBuilder number(Number number) {
        boolean finite = !(number instanceof Double || number instanceof Float) || Double.isFinite(number.doubleValue());
        return finite ? out.append(number) : string(number.toString());
    }

    /** Values of the platform's own classes that have a form of their own. */
    private boolean known(Object value) {
        if (value instanceof Date) out.append(((Date) value).getTime());
        else if (value instanceof Calendar) out.append(((Calendar) value).getTimeInMillis());
        else if (value instanceof ByteBuffer) {
            ByteBuffer copy = ((ByteBuffer) value).duplicate();
            byte[] bytes = new byte[copy.remaining()];
            copy.get(bytes);
            string(Base64.getEncoder().encodeToString(bytes));
        } else if (value instanceof Optional) write(((Optional<?>) value).orElse(null));
        else if (value instanceof OptionalInt) write(((OptionalInt) value).isPresent() ? ((OptionalInt) value).getAsInt() : null);
        else if (value instanceof OptionalLong) write(((OptionalLong) value).isPresent() ? ((OptionalLong) value).getAsLong() : null);
        else if (value instanceof OptionalDouble) write(((OptionalDouble) value).isPresent() ? ((OptionalDouble) value).getAsDouble() : null);
        else if (value instanceof Temporal) temporal((Temporal) value);
        else if (value instanceof Duration) seconds(((Duration) value).getSeconds(), ((Duration) value).getNano());
        else if (value instanceof TimeZone) string(((TimeZone) value).getID());
        else if (value instanceof Class) string(((Class<?>) value).getName());
        else if (value instanceof java.net.InetAddress) string(((java.net.InetAddress) value).getHostAddress());
        else if (value.getClass().getName().equals("org.joda.time.DateTime")) string(value.toString());
        else if (value.getClass().getModule() == Object.class.getModule() && value.getClass() != Object.class && !(value instanceof Throwable)) {
            string(value.toString());
        } else return false;
        return true;
    }

    /** What has an offset or is an instant is a number of seconds, everything else an array of its parts. */
    private void temporal(Temporal value) {
        if (value instanceof Instant) seconds(((Instant) value).getEpochSecond(), ((Instant) value).getNano());
        else if (value instanceof OffsetDateTime || value instanceof ZonedDateTime) {
            seconds(value.getLong(ChronoField.INSTANT_SECONDS), value.get(ChronoField.NANO_OF_SECOND));
        } else if (value instanceof LocalDate || value instanceof LocalDateTime || value instanceof LocalTime) {
            List<Object> parts = new ArrayList<>();
            if (!(value instanceof LocalTime)) {
                parts.add(value.get(ChronoField.YEAR));
                parts.add(value.get(ChronoField.MONTH_OF_YEAR));
                parts.add(value.get(ChronoField.DAY_OF_MONTH));
            }
            if (!(value instanceof LocalDate)) {
                int second = value.get(ChronoField.SECOND_OF_MINUTE);
                int nano = value.get(ChronoField.NANO_OF_SECOND);
                parts.add(value.get(ChronoField.HOUR_OF_DAY));
                parts.add(value.get(ChronoField.MINUTE_OF_HOUR));
                if (second > 0 || nano > 0) parts.add(second);
                if (nano > 0) parts.add(nano);
            }
            write(parts);
        } else if (value instanceof Year) out.append(((Year) value).getValue());
        else string(value.toString());
    }

    private void seconds(long seconds, int nanos) {
        out.append(new java.math.BigDecimal(seconds).add(java.math.BigDecimal.valueOf(nanos, 9)).toPlainString());
    }

    private StringBuilder string(String text) {
        out.append('"');
        int written = 0;
        for (int at = 0; at < text.length(); at += 1) {
            char next = text.charAt(at);
            // AWS: what lies outside the basic plane is written as two escapes.
            boolean surrogate = Character.isSurrogate(next);
            if (next >= ' ' && next != '"' && next != '\\' && !surrogate) continue;
            out.append(text, written, at);
            written = at + 1;
            switch (next) {
                case '\n':
                    out.append("\\n");
                    break;
                case '\r':
                    out.append("\\r");
                    break;
                case '\t':
                    out.append("\\t");
                    break;
                case '\b':
                    out.append("\\b");
                    break;
                case '\f':
                    out.append("\\f");
                    break;
                default:
                    if (next < ' ' || surrogate) {
                        out.append("\\u");
                        for (int shift = 12; shift >= 0; shift -= 4) out.append(HEX[next >> shift & 15]);
                    }
                    else out.append('\\').append(next);
            }
        }
        return out.append(text, written, text.length()).append('"');
    }
}
