/**
 * Cases of what clients must bear with and servers do not send. What we send instead is checked by a client:
 * see `botocore.test.ts`.
 */
export const borne: readonly (readonly [ids: RegExp, reason: string])[] = [
  [/^(handles_empty_output_shape|AwsJson10HandlesEmptyOutputShape)$/, "a document for an operation without output"],
  [/^(handles_unexpected_json_output|AwsJson10HandlesUnexpectedJsonOutput)$/, "members of an operation without output"],
  [/FooErrorUsingXAmznErrorType/, "the error's name in the header of another protocol, or with a URI"],
  [/FooErrorUsingCode|FooErrorWithDunderType/, "the error's name in a member of another protocol, or with a URI"],
  [/^AwsJson11IntEnums$/, "a request's header in a response"],
  [/DeserializeIgnoreType$/, "a type beside the one member of a union"],
  [/^parses_the_request_id_from_the_response$/, "the front door writes the request id"],
  [/^(QueryEmptyInputAndEmptyOutput|QueryNoInputAndNoOutput|QueryNoInputAndOutput)$/, "no envelope"],
  [
    /^(RestJsonEmptyInputAndEmptyOutputJsonObjectOutput|RestJsonNoInputAndOutputNoPayload|RestJsonIgnoreQueryParamsInResponseNoPayload)$/,
    "no document for an empty output",
  ],
  [/^(RestJsonGreetingWithErrors|RestJsonHttpResponseCode)$/, "a document although all members are bound"],
  [/^(InvalidGreetingError|ComplexError)$/, "members that the error's shape does not have"],
  [/^(RestXmlHttpResponseCode)$/, "a type for no body"],
  [
    /^(empty_output_no_body|NoOutputClientAllowsEmpty(Cbor|Body)|RpcV2CborPayloadWithUnsetUnion)$/,
    "a type for no body, or no body for a structure",
  ],
  [/^RpcV2CborExtraFieldsInTheBodyShouldBeSkippedByClients$/, "members that the output does not have"],
];

/** Where botocore does not read what the case says, of whatever server's answer: the reason. */
export const known: Readonly<Record<string, string>> = {
  QueryXmlLists: "it looks for a flattened list under the name of its items",
  XmlLists: "it looks for a flattened list under the name of its items",
  BodyWithXmlName: "it does not look into a root element that is named",
  RestJsonHttpPayloadTraitsWithNoBlobBody: "an absent body is an empty one to it",
  HttpPayloadTraitsWithNoBlobBody: "an absent body is an empty one to it",
  RestJsonHttpPayloadWithUnsetUnion: "it refuses a union that is not set",
  RestXmlHttpPayloadWithUnsetUnion: "it refuses a union that is not set",
  HttpPrefixHeadersResponse: "with no prefix, the type of the content is a header of the map to it",
  RestJsonInputAndOutputWithQuotedStringHeaders: "it does not read quotes",
  RestJsonInputAndOutputWithTimestampHeaders: "it splits dates at their comma",
  InputAndOutputWithTimestampHeaders: "it splits dates at their comma",
  MediaTypeHeaderOutputBase64: "it goes on to read the JSON",
};
