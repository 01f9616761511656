/** Quotas of WebSocket APIs. Source: "Quotas for configuring and running a WebSocket API in API Gateway", unless said to be ours. */
export const webSocketLimits = {
  /** New connections per second, account and region. */
  connectionsPerSecond: 500,
  frameBytesMax: 32 * 1024,
  messageBytesMax: 128 * 1024,
  idleMsMax: 10 * 60_000,
  connectionMsMax: 2 * 3_600_000,
  /** Length of a WebSocket API's URL, in characters. */
  urlCharactersMax: 4096,
  /** Our own: how often connections are looked at for being idle or old. */
  lookMs: 5_000,
  /** Our own: messages of one connection that are under way before no more are read from it. */
  messagesUnderWayMax: 64,
  /** Our own: bytes that wait for a slow client before what is posted to it is refused with LimitExceededException. */
  waitingBytesMax: 1024 * 1024,
  /** Our own: $disconnect routes of one node that run at once. */
  disconnectsAtOnce: 64,
  /** Our own: connections of a lost node whose $disconnect is scheduled in one transaction. */
  lostAtOnce: 500,
  /** Our own: what is asked of another node about its connections, read and answered in one go. */
  asksAtOnce: 128,
  /** Our own: another node has this long to answer. */
  askMsMax: 10_000,
  /** Our own: a closing handshake has this long. */
  closeMsMax: 2_000,
} as const;
