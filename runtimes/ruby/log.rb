# frozen_string_literal: true

module Cumulet
  # What a Ruby function logs: `puts` and `Logger` as whole messages, in Lambda's line format or as JSON.
  module Log
    # Messages leave at once and in order: a function that never yields is killed with its log complete.
    MESSAGES_FD = 4
    LEVELS = { "TRACE" => 0, "DEBUG" => 0, "INFO" => 1, "WARN" => 2, "ERROR" => 3, "FATAL" => 4 }.freeze

    class << self
      attr_reader :level, :sink

      def open
        @messages = IO.for_fd(MESSAGES_FD, "wb")
        @messages.close_on_exec = true
        @messages.sync = true
        @sink = Sink.new
        $stdout.sync = true
        $stderr.sync = true
        Logger.prepend(LoggerOfLambda)
        Kernel.prepend(KernelOfLambda)
      end

      def configure(format, level)
        @json = format == "JSON"
        @level = LEVELS.fetch(level.to_s.upcase, Logger::DEBUG)
      end

      def formatter
        @json ? JsonFormatter.new : TextFormatter.new
      end

      def write(text)
        text = Errors.readable(text)
        @messages.write([text.bytesize].pack("N"), text)
      rescue SystemCallError
        # Nobody takes it any more.
      end

      # The error of an invocation or an init.
      def write_error(said, document)
        return write(JSON.generate(json_error(said, document))) if @json

        write("#{said}\n")
        write("#{JSON.pretty_generate(document)}\n")
      end

      private

      def json_error(said, document)
        { "timestamp" => JsonFormatter.time(Time.now), "level" => "ERROR", "message" => said,
          "requestId" => $_global_aws_request_id }.compact.merge(document)
      end
    end

    # Where loggers write to that a function makes for its standard streams.
    class Sink
      def write(message)
        Log.write(message)
      end

      def close; end
    end

    module LoggerOfLambda
      def initialize(logdev, *rest, level: nil, formatter: nil, **options)
        unless logdev.nil? || logdev == $stdout || logdev == $stderr
          return super(logdev, *rest, level: level || Logger::DEBUG, formatter: formatter, **options)
        end

        super(Log.sink, *rest, level: level || Log.level, formatter: formatter || Log.formatter, **options)
      end
    end

    module KernelOfLambda
      private

      # AWS: one call is one message, whatever lines it has.
      def puts(*values)
        text = values.flatten.map { |value| Errors.readable(value) }.join("\n")
        Log.write(text.end_with?("\n") ? text : "#{text}\n")
      end
    end

    class TextFormatter < Logger::Formatter
      def call(severity, time, progname, message)
        id = $_global_aws_request_id
        said = Errors.readable(msg2str(message))
        "#{severity[0]}, [#{format_datetime(time)} ##{Process.pid}] #{severity.rjust(5)} #{id} -- #{progname}: #{said}\n"
      end
    end

    class JsonFormatter < Logger::Formatter
      def self.time(time)
        time.utc.strftime("%Y-%m-%dT%H:%M:%S.%6NZ")
      end

      def call(severity, time, progname, message)
        failed = message.is_a?(Exception)
        line = { "timestamp" => self.class.time(time.dup), "level" => severity,
                 "message" => Errors.readable(failed ? message.message : msg2str(message)),
                 "requestId" => $_global_aws_request_id }
        line["logger"] = Errors.readable(progname) unless progname.to_s.empty?
        line.merge!(describe(message)) if failed
        "#{JSON.generate(line.compact)}\n"
      end

      private

      def describe(error)
        frames = Array(error.backtrace).map { |frame| Errors.readable(frame) }
        { "errorType" => error.class.to_s, "errorMessage" => Errors.readable(error.message), "stackTrace" => frames,
          "location" => location(frames.first) }
      end

      # `file:method:line`
      def location(frame)
        found = /\A(.+):(\d+):in [`'](.+)'\z/.match(frame.to_s)
        found ? "#{found[1]}:#{found[3]}:#{found[2]}" : frame
      end
    end
  end
end
