package com.amazonaws.services.lambda.crac;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;

/** Before a snapshot the last registered comes first, after a restore the first. All are told, whatever any of them throws. */
final class OrderedContext extends Context<Resource> {
    /** By number. AWS: what nobody else holds is forgotten. */
    private final Map<Resource, Long> registered = new WeakHashMap<>();
    private long registrations;

    @Override
    public synchronized void register(Resource resource) {
        registrations += 1;
        registered.put(resource, registrations);
    }

    @Override
    public synchronized void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException {
        CheckpointException failures = new CheckpointException();
        List<Resource> resources = inOrder();
        Collections.reverse(resources);
        for (Resource resource : resources) {
            try {
                resource.beforeCheckpoint(this);
            } catch (CheckpointException error) {
                for (Throwable each : error.getSuppressed()) failures.addSuppressed(each);
            } catch (Exception error) {
                failures.addSuppressed(error);
            }
        }
        if (failures.getSuppressed().length > 0) throw failures;
    }

    @Override
    public synchronized void afterRestore(Context<? extends Resource> context) throws RestoreException {
        RestoreException failures = new RestoreException();
        for (Resource resource : inOrder()) {
            try {
                resource.afterRestore(this);
            } catch (RestoreException error) {
                for (Throwable each : error.getSuppressed()) failures.addSuppressed(each);
            } catch (Exception error) {
                failures.addSuppressed(error);
            }
        }
        if (failures.getSuppressed().length > 0) throw failures;
    }

    private List<Resource> inOrder() {
        List<Map.Entry<Resource, Long>> entries = new ArrayList<>(registered.entrySet());
        entries.sort(Comparator.comparing(Map.Entry::getValue));
        List<Resource> resources = new ArrayList<>();
        for (Map.Entry<Resource, Long> entry : entries) if (entry.getKey() != null) resources.add(entry.getKey());
        return resources;
    }
}
