package example;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;

/** A function with runtime hooks for SnapStart. */
public class Hooks {
    private static final List<String> told = new ArrayList<>();
    private static final List<Resource> kept = List.of(new Told("first"), new Told("second"));

    static {
        for (Resource resource : kept) Core.getGlobalContext().register(resource);
    }

    private static final class Told implements Resource {
        private final String name;

        Told(String name) {
            this.name = name;
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) {
            told.add("before " + name);
            if ("before".equals(System.getenv("FAIL"))) throw new IllegalStateException("not now: " + name);
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) {
            told.add("after " + name);
            if ("after".equals(System.getenv("FAIL"))) throw new IllegalStateException("no way back: " + name);
        }
    }

    public List<String> handle(Map<String, Object> event) {
        return told;
    }
}
