package example;

/** Comes with a layer. */
public class Layered {
    public static String say() {
        return "from the layer";
    }
}
