package cumulet.runtime;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import java.util.LinkedHashMap;
import java.util.Map;

/** The context object of one invocation. */
final class InvocationContext implements Context {
    /** What is the same for all of them. */
    static final class Settings {
        final String logGroup;
        final String logStream;
        final String functionName;
        final String functionVersion;
        final int memoryMb;

        Settings(Map<?, ?> begin) {
            logGroup = (String) begin.get("logGroup");
            logStream = (String) begin.get("logStream");
            functionName = (String) begin.get("functionName");
            functionVersion = (String) begin.get("functionVersion");
            memoryMb = ((Number) begin.get("memoryMb")).intValue();
        }
    }

    private final Settings settings;
    private final Map<?, ?> header;
    private final long deadlineMs;

    InvocationContext(Settings settings, Map<?, ?> header) {
        this.settings = settings;
        this.header = header;
        this.deadlineMs = ((Number) header.get("deadlineMs")).longValue();
    }

    @Override
    public String getAwsRequestId() {
        return (String) header.get("requestId");
    }

    @Override
    public String getLogGroupName() {
        return settings.logGroup;
    }

    @Override
    public String getLogStreamName() {
        return settings.logStream;
    }

    @Override
    public String getFunctionName() {
        return settings.functionName;
    }

    @Override
    public String getFunctionVersion() {
        return settings.functionVersion;
    }

    @Override
    public String getInvokedFunctionArn() {
        return (String) header.get("invokedFunctionArn");
    }

    @Override
    public CognitoIdentity getIdentity() {
        Map<?, ?> identity = object("cognitoIdentity");
        if (identity == null) return null;
        return new CognitoIdentity() {
            @Override
            public String getIdentityId() {
                return text(identity, "cognitoIdentityId");
            }

            @Override
            public String getIdentityPoolId() {
                return text(identity, "cognitoIdentityPoolId");
            }
        };
    }

    @Override
    public ClientContext getClientContext() {
        Map<?, ?> context = object("clientContext");
        if (context == null) return null;
        Object client = context.get("client");
        return new ClientContext() {
            @Override
            public Client getClient() {
                return client instanceof Map ? client((Map<?, ?>) client) : null;
            }

            @Override
            public Map<String, String> getCustom() {
                return texts(context.get("custom"));
            }

            @Override
            public Map<String, String> getEnvironment() {
                return texts(context.get("env"));
            }
        };
    }

    @Override
    public int getRemainingTimeInMillis() {
        return (int) Math.max(0, deadlineMs - System.currentTimeMillis());
    }

    @Override
    public int getMemoryLimitInMB() {
        return settings.memoryMb;
    }

    @Override
    public LambdaLogger getLogger() {
        return Log.LOGGER;
    }

    @Override
    public String getXrayTraceId() {
        return (String) header.get("traceId");
    }

    private Map<?, ?> object(String name) {
        String text = (String) header.get(name);
        if (text == null || text.isEmpty()) return null;
        Object value = Json.parse(text);
        return value instanceof Map ? (Map<?, ?>) value : null;
    }

    private static Client client(Map<?, ?> fields) {
        return new Client() {
            @Override
            public String getInstallationId() {
                return text(fields, "installation_id");
            }

            @Override
            public String getAppTitle() {
                return text(fields, "app_title");
            }

            @Override
            public String getAppVersionName() {
                return text(fields, "app_version_name");
            }

            @Override
            public String getAppVersionCode() {
                return text(fields, "app_version_code");
            }

            @Override
            public String getAppPackageName() {
                return text(fields, "app_package_name");
            }
        };
    }

    private static String text(Map<?, ?> fields, String name) {
        Object value = fields.get(name);
        return value == null ? null : value.toString();
    }

    private static Map<String, String> texts(Object value) {
        if (!(value instanceof Map)) return null;
        Map<String, String> texts = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
            texts.put((String) entry.getKey(), entry.getValue() == null ? null : entry.getValue().toString());
        }
        return texts;
    }
}
