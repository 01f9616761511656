package cumulet.runtime;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The package, its {@code lib/*.jar}, then the layers' {@code java/lib/*.jar}, each by name: Lambda's order. */
final class FunctionClassLoader extends URLClassLoader {
    FunctionClassLoader(String taskRoot, String layersRoot, ClassLoader parent) {
        super(urls(taskRoot, layersRoot), parent);
    }

    private static URL[] urls(String taskRoot, String layersRoot) {
        List<URL> urls = new ArrayList<>();
        try {
            urls.add(new File(taskRoot + "/").toURI().toURL());
            for (String folder : new String[] {taskRoot + "/lib", layersRoot + "/java/lib"}) {
                String[] names = new File(folder).list();
                if (names == null) continue;
                Arrays.sort(names);
                for (String name : names) if (name.endsWith(".jar")) urls.add(new File(folder, name).toURI().toURL());
            }
        } catch (MalformedURLException impossible) {
            throw new IllegalStateException(impossible);
        }
        return urls.toArray(new URL[0]);
    }
}
