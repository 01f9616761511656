package matrix;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

public class Handler {
    private static final long STARTED = System.nanoTime();

    public Object handle(Map<String, Object> event) throws Exception {
        Object wanted = event.get("do");
        switch (wanted == null ? "" : wanted.toString()) {
            case "fail":
                throw new IllegalStateException("boom");
            case "wait":
                Thread.sleep(20_000);
                return null;
            case "crash":
                Runtime.getRuntime().exec(new String[] {"kill", "-9", String.valueOf(ProcessHandle.current().pid())});
                Thread.sleep(20_000);
                return null;
            case "exit":
                System.exit(3);
                return null;
            case "text":
                char[] text = new char[((Number) event.get("length")).intValue() - 2];
                Arrays.fill(text, 'x');
                return new String(text);
            case "count":
                return event.get("text").toString().length();
            case "env":
                return List.of(System.getenv("MINE"), System.getenv("AWS_EXECUTION_ENV"), System.getenv("_HANDLER"));
            case "layer":
                return Files.readString(Path.of("/opt/said.txt"));
            case "tmp":
                Files.writeString(
                    Path.of("/tmp/kept"), "x", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                return Files.size(Path.of("/tmp/kept"));
            case "started":
                return STARTED;
            case "hoard":
                List<byte[]> kept = new ArrayList<>();
                while (true) {
                    kept.add(new byte[8_388_608]);
                }
            default:
                return event;
        }
    }
}
