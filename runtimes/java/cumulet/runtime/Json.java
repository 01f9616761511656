package cumulet.runtime;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON text (RFC 8259) as maps, lists, strings, numbers (the smallest of Integer, Long, BigInteger; Real), booleans and null. */
final class Json {
    /** A number with a fraction or an exponent, as it is written: a BigDecimal keeps its zeros, an Object becomes a Double. */
    @SuppressWarnings("serial")
    static final class Real extends Number {
        private final String text;
        private final double value;

        Real(String text) {
            this.text = text;
            this.value = Double.parseDouble(text);
        }

        @Override
        public int intValue() {
            return (int) value;
        }

        @Override
        public long longValue() {
            return (long) value;
        }

        @Override
        public float floatValue() {
            return Float.parseFloat(text);
        }

        @Override
        public double doubleValue() {
            return value;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private static final int DEPTH_MAX = 1_000;

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    /** @throws IllegalArgumentException when the text is not one JSON value */
    static Object parse(String text) {
        Json parser = new Json(text);
        Object value = parser.value();
        parser.skipSpace();
        if (parser.at < text.length()) throw parser.unexpected();
        return value;
    }

    static String write(Object value) {
        return new JsonWriter().write(value).toString();
    }

    private Object value() {
        skipSpace();
        if (at >= text.length()) throw unexpected();
        switch (text.charAt(at)) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object() {
        Map<String, Object> object = new LinkedHashMap<>();
        enter();
        skipSpace();
        if (peek() == '}') {
            leave();
            return object;
        }
        while (true) {
            skipSpace();
            if (peek() != '"') throw unexpected();
            String name = string();
            skipSpace();
            if (peek() != ':') throw unexpected();
            at += 1;
            object.put(name, value());
            skipSpace();
            char next = peek();
            if (next == '}') {
                leave();
                return object;
            }
            if (next != ',') throw unexpected();
            at += 1;
        }
    }

    private List<Object> array() {
        List<Object> array = new ArrayList<>();
        enter();
        skipSpace();
        if (peek() == ']') {
            leave();
            return array;
        }
        while (true) {
            array.add(value());
            skipSpace();
            char next = peek();
            if (next == ']') {
                leave();
                return array;
            }
            if (next != ',') throw unexpected();
            at += 1;
        }
    }

    private void enter() {
        at += 1;
        depth += 1;
        if (depth > DEPTH_MAX) throw new IllegalArgumentException("Document nesting depth exceeds " + DEPTH_MAX);
    }

    private void leave() {
        at += 1;
        depth -= 1;
    }

    private String string() {
        int start = at + 1;
        for (int end = start; end < text.length(); end += 1) {
            char next = text.charAt(end);
            if (next == '\\') return escaped(start, end);
            if (next < ' ') break;
            if (next != '"') continue;
            at = end + 1;
            return text.substring(start, end);
        }
        throw unexpected();
    }

    private String escaped(int start, int firstEscape) {
        StringBuilder result = new StringBuilder(firstEscape - start + 64).append(text, start, firstEscape);
        at = firstEscape;
        while (true) {
            char next = peek();
            at += 1;
            if (next == '"') return result.toString();
            if (next < ' ') throw unexpected();
            result.append(next == '\\' ? escape() : next);
        }
    }

    private char escape() {
        char next = peek();
        at += 1;
        switch (next) {
            case '"':
            case '\\':
            case '/':
                return next;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                if (at + 4 > text.length()) throw unexpected();
                int code = 0;
                for (int end = at + 4; at < end; at += 1) {
                    int digit = Character.digit(text.charAt(at), 16);
                    if (digit < 0) throw unexpected();
                    code = code << 4 | digit;
                }
                return (char) code;
            default:
                throw unexpected();
        }
    }

    private Object number() {
        int start = at;
        boolean whole = true;
        while (at < text.length()) {
            char next = text.charAt(at);
            if (next == '.' || next == 'e' || next == 'E') whole = false;
            else if ((next < '0' || next > '9') && next != '-' && next != '+') break;
            at += 1;
        }
        if (at == start) throw unexpected();
        String digits = text.substring(start, at);
        try {
            if (!whole) return new Real(digits);
            if (at - start > 18) {
                BigInteger large = new BigInteger(digits);
                return large.bitLength() < 64 ? (Object) large.longValue() : large;
            }
            long number = Long.parseLong(digits);
            return number == (int) number ? (Object) (int) number : (Object) number;
        } catch (NumberFormatException error) {
            at = start;
            throw unexpected();
        }
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) throw unexpected();
        at += word.length();
        return value;
    }

    private char peek() {
        if (at >= text.length()) throw unexpected();
        return text.charAt(at);
    }

    private void skipSpace() {
        while (at < text.length()) {
            char next = text.charAt(at);
            if (next != ' ' && next != '\n' && next != '\r' && next != '\t') return;
            at += 1;
        }
    }

    private IllegalArgumentException unexpected() {
        if (at >= text.length()) return new IllegalArgumentException("Unexpected end of the JSON text");
        return new IllegalArgumentException("Unexpected character '" + text.charAt(at) + "' at offset " + at + " of the JSON text");
    }
}
