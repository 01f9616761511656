# frozen_string_literal: true

# The context object of one invocation, with the members that Lambda documents.
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
              :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms, :tenant_id

  # AWS: the fields of a W3C trace context that functions are shown.
  W3C_FIELDS = %w[traceparent tracestate baggage].freeze
  private_constant :W3C_FIELDS

  def initialize(configuration, header)
    @aws_request_id = header["requestId"]
    @invoked_function_arn = header["invokedFunctionArn"]
    @deadline_ms = header["deadlineMs"]
    @tenant_id = header["tenantId"]
    @log_group_name = configuration["logGroup"]
    @log_stream_name = configuration["logStream"]
    @function_name = configuration["functionName"]
    @memory_limit_in_mb = configuration["memoryMb"].to_s
    @function_version = configuration["functionVersion"]
    @identity = JSON.parse(header["cognitoIdentity"]) if header["cognitoIdentity"]
    @client_context = JSON.parse(header["clientContext"]) if header["clientContext"]
    @w3c = take_trace_context
  end

  def get_remaining_time_in_millis
    [0, @deadline_ms - Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond)].max
  end

  # The W3C trace context that came with the client context.
  def w3c
    @w3c.dup
  end

  private

  def take_trace_context
    given = @client_context.delete("w3c") if @client_context.is_a?(Hash)
    return {} unless given.is_a?(Hash)

    given.select { |name, value| W3C_FIELDS.include?(name) && value.is_a?(String) }
  end
end
