//! The function of the tests, on the official Rust runtime.
use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde_json::{json, Value};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var("FAIL_INIT").is_ok() {
        return Err("no way to start".into());
    }
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let LambdaEvent { payload, context } = event;
    match payload["do"].as_str() {
        Some("fail") => Err(payload["text"].as_str().unwrap_or("as asked").into()),
        Some("panic") => panic!("as asked"),
        Some("wait") => {
            tokio::time::sleep(Duration::from_secs(20)).await;
            Ok(Value::Null)
        }
        Some("exit") => std::process::exit(7),
        Some("text") => Ok("x".repeat(payload["length"].as_u64().unwrap_or(2) as usize - 2).into()),
        Some("count") => Ok(payload["text"].as_str().unwrap_or("").chars().count().into()),
        Some("context") => Ok(json!({
            "requestId": context.request_id,
            "deadlineMs": context.deadline,
            "invokedFunctionArn": context.invoked_function_arn,
            "traceId": context.xray_trace_id,
            "clientContext": context.client_context.map(|given| given.custom),
            "tenantId": context.tenant_id,
            "identityId": context.identity.map(|given| given.identity_id),
            "functionName": context.env_config.function_name,
            "memoryMb": context.env_config.memory,
        })),
        _ => Ok(payload),
    }
}
