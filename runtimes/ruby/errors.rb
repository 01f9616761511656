# frozen_string_literal: true

module Cumulet
  # The documents that Lambda answers for errors of Ruby functions.
  module Errors
    OWN_FOLDER = "#{__dir__}/"
    FRAMES_MAX = 100
    private_constant :OWN_FOLDER, :FRAMES_MAX

    # @param phase "Init" or "Function", which AWS puts around the class of the error
    def self.describe(error, phase)
      {
        "errorMessage" => readable(message_of(error)),
        "errorType" => "#{phase}<#{error.class}>",
        "stackTrace" => frames_of(error)
      }
    end

    def self.readable(text)
      text = text.to_s
      text = text.dup.force_encoding(Encoding::UTF_8) if text.encoding == Encoding::BINARY
      text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub
    end

    # AWS: up to the first frame that is not the function's.
    def self.frames_of(error)
      frames = (error.backtrace_locations || []).first(FRAMES_MAX)
      frames.take_while { |frame| !frame.path.to_s.start_with?(OWN_FOLDER) }.map { |frame| readable(frame) }
    end

    def self.message_of(error)
      error.message
    rescue StandardError
      ""
    end

    private_class_method :frames_of, :message_of
  end
end
