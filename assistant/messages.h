/*
 * messages -- everything that surface, worker and egress may say to one another.
 *
 * Two programs, each a child of a surface (the Slack process, the console) that has one
 * end of a socket pair at descriptor ASSISTANT_FD and no other way to anybody:
 *   wingman-assistant  turns one conversation into requests of the provider's and back.
 *                      No key, no file, no network. One turn at a time: a surface starts
 *                      one for each turn that runs, so that no two share memory.
 *   wingman-egress     sends the request to the one address of the configuration with the
 *                      key, and streams the answer back. One for all turns of a surface.
 * They never meet: the surface hands each 'request' on and each answer back, and so sees
 * and counts all bytes. It trusts neither: what the worker says is proposals and text.
 *
 * Frames are proc/channel's: one JSON object {"m": name, ...} of the members below. An
 * unknown name, an unknown or missing member, a wrong type, or more than the limits below
 * ends the process that got it (status 1); the surface does the same to its child, kills
 * it and starts another. MESSAGES_VERSION changes with this file.
 *
 * Surface to worker
 *   begin    {v, provider: "anthropic"|"openai"|"bedrock", model, stream?: bool, cache?: bool,
 *            max_output: tokens of one answer, old_max_tokens?: bool}    first, once; answered by 'ready'
 *   turn     {system: [note], who: {...}, conversation: [entry], tools: [tool], sources: [source], limits}
 *            a second one only after done or failed
 *   result   {proposal, results: [result]}         one for each call, in their order
 *   content  {read, label, text, cut?: bool}       what a read gave, secrets masked; or {read, code}
 *   status   {request, status, retry_after_ms?, type?}   the egress's answer, as it came
 *   chunk    {request, data: base64}
 *   ended    {request, code?, status?}             code: of enum assistant_code; absent: the answer was whole
 *   stop     {}                                    answered by 'failed' with code "stopped", even if idle
 * Worker to surface
 *   ready    {v}
 *   say      {text, final: bool}                   a piece of one answer to people; 'final' ends that answer
 *   propose  {proposal, calls: [{tool, arguments}], together: bool}
 *            not together: exactly one call. together: two to eight for one decision. Answered by 'result'.
 *   read     {read, uri}  or  {read, template, values: {name: text}}      answered by 'content'
 *   request  {request, path, body}                 for the egress; answered by status, chunk..., ended
 *   done     {why: "end"|"cut"|"filtered", usage}  the turn is over; all its answers are final
 *   failed   {code, usage}                         over likewise; code: of enum assistant_code
 * Surface to egress
 *   request  {request, path, body}                 'request' is the surface's own number, in use once at a time
 *   drop     {request}                             nobody waits any more; 'ended' still comes, with "stopped"
 * Egress to surface
 *   ready    {v}
 *   status   {request, status, retry_after_ms?, type?}   the head of the last try
 *   chunk    {request, data}
 *   ended    {request, code?, status?}             'status' also when no 'status' was sent: all tries failed
 *   waiting  {request, status, after_ms}           a try failed (status 0: no answer); the next is in so long
 *
 * Numbers 'proposal', 'read' and 'request' count from 1 in a turn and are the asker's own.
 * Several reads and proposals may wait at once; their answers come in any order.
 *
 * note    {name, text, changes?: bool}  what the house tells the model: rules, team notes. Those that
 *         change from turn to turn say so and stand last; they are told at 'now', behind what is cached.
 * who     {...}  any members, or none; told to the model as data, as they are, at 'now'
 * entry   oldest first, the last is what the model is to answer:
 *         {kind: "said", by, text, asker?: bool, at?}     a person's words; 'asker': of who asks now
 *         {kind: "answered", text}                        the assistant's own
 *         {kind: "proposed", calls, together, results}    with how it stands now
 *         {kind: "read", label, text, uri | template + values, cut?}     what it had read
 *         {kind: "ended", of, results}                    how the proposal at this place of the list ended, of
 *                                                         which was told before how it stood ('results' there)
 *         {kind: "people", text}                          who was asking and was mentioned then, as JSON
 *         {kind: "note", text}                            the house's, e.g. that a decision fell
 *         {kind: "now"}                                   once: what stands before comes again in the next turn;
 *                                                         the notes that change, and who asks, stand here
 * tool    {name: "server.tool", description, schema}      the model knows it as server__tool
 * source  {uri | template, description, values?: [name]}  what may be read; none: nothing may
 * result  {status, code?, errors?: [text], outcome?: any}
 *         status "invalid" (errors: what the schema says, whole), "refused" (code), "failed" (code),
 *         "pending" (a person decides; the outcome comes with a later turn), "denied", "expired",
 *         "cancelled", "superseded", "succeeded" (outcome), "unknown"
 * limits  {seconds, requests, proposals, reads, text_bytes, tokens}; each at least 1 but proposals and reads
 * usage   {input, output, cache_read, cache_write, requests}   tokens, as the provider counts
 *
 * What a surface does besides, since a worker may be anybody: keeps the same limits
 * itself, ends a turn 5 seconds after its time, drops requests of a turn that is over,
 * hands a request on only if the budget allows it (budget/budget.h), and never takes
 * 'say' for anything but text.
 */
#ifndef ASSISTANT_MESSAGES_H
#define ASSISTANT_MESSAGES_H

enum { ASSISTANT_MESSAGES_VERSION = 2 };

enum { ASSISTANT_FD = 3 };

/* Whatever has more is malformed. Bytes of text unless it says otherwise. */
enum {
	ASSISTANT_BODY_MAX = 1024 *
			     1024,       /* of a request: escaped it still fits a frame */
	ASSISTANT_CHUNK_MAX = 48 * 1024, /* of the answer's bytes, before base64 */
	ASSISTANT_CHUNK_TEXT_MAX = ASSISTANT_CHUNK_MAX / 3 * 4,
	ASSISTANT_ANSWER_MAX = 8 * 1024 * 1024, /* of one answer, all chunks */
	ASSISTANT_PATH_MAX = 1024,
	ASSISTANT_MODEL_MAX = 256,
	ASSISTANT_NAME_MAX = 128, /* of tools, persons, codes */
	ASSISTANT_URI_MAX = 2048,
	ASSISTANT_LABEL_MAX = 512,
	ASSISTANT_SAY_MAX = 16 * 1024,   /* of one piece */
	ASSISTANT_TEXT_MAX = 256 * 1024, /* of a note, an entry, what was read */
	ASSISTANT_ENTRIES_MAX = 512,
	ASSISTANT_NOTES_MAX = 64,
	ASSISTANT_TOOLS_MAX = 256,
	ASSISTANT_SOURCES_MAX = 256,
	ASSISTANT_VALUES_MAX = 16,
	ASSISTANT_CALLS_MAX = 8, /* of one decision */
	/* What limits may say at most. */
	ASSISTANT_SECONDS_MAX = 3600,
	ASSISTANT_REQUESTS_MAX = 100,
	ASSISTANT_PROPOSALS_MAX = 32,
	ASSISTANT_READS_MAX = 64,
	ASSISTANT_TURN_TEXT_MAX = 256 * 1024,
	ASSISTANT_TOKENS_MAX = 100 * 1000 * 1000,
	ASSISTANT_OUTPUT_MAX = 128 * 1000,
};

enum assistant_message {
	/* surface -> worker */
	ASSISTANT_BEGIN,
	ASSISTANT_TURN,
	ASSISTANT_RESULT,
	ASSISTANT_CONTENT,
	ASSISTANT_STOP,
	/* worker -> surface */
	ASSISTANT_SAY,
	ASSISTANT_PROPOSE,
	ASSISTANT_READ,
	ASSISTANT_DONE,
	ASSISTANT_FAILED,
	/* worker -> surface -> egress */
	ASSISTANT_REQUEST,
	/* surface -> egress */
	ASSISTANT_DROP,
	/* egress -> surface */
	ASSISTANT_WAITING,
	/* egress -> surface -> worker */
	ASSISTANT_STATUS,
	ASSISTANT_CHUNK,
	ASSISTANT_ENDED,
	/* either child, first */
	ASSISTANT_READY,
	ASSISTANT_MESSAGE_COUNT
};

const char *assistant_message_name(enum assistant_message m);
/* ASSISTANT_MESSAGE_COUNT for an unknown name. */
enum assistant_message assistant_message_find(const char *name);

/* Why a turn or a request failed; words for people are in assistant/words.h. */
enum assistant_code {
	ASSISTANT_OK,
	ASSISTANT_STOPPED,    /* "stopped": somebody ended it */
	ASSISTANT_MODEL_DOWN, /* "model_down": no answer, or 5xx, after all tries */
	ASSISTANT_MODEL_BUSY, /* "model_busy": 429 or 529, after all tries */
	ASSISTANT_MODEL_REFUSED, /* "model_refused": 4xx; our key, model or request is wrong */
	ASSISTANT_MODEL_UNPAID, /* "model_unpaid": the provider's own quota or billing */
	ASSISTANT_MODEL_BROKEN, /* "model_broken": an answer that cannot be read, or cut off */
	ASSISTANT_TOO_LONG,       /* "too_long": more conversation than the model takes */
	ASSISTANT_LIMIT_TIME,     /* "limit_time" and so on: of limits */
	ASSISTANT_LIMIT_REQUESTS, /* "limit_requests" */
	ASSISTANT_LIMIT_TEXT,     /* "limit_text" */
	ASSISTANT_LIMIT_TOKENS,   /* "limit_tokens" */
	ASSISTANT_NOT_ALLOWED, /* "not_allowed": the egress does not send such a request */
	ASSISTANT_BUDGET_SPENT, /* "budget_spent": said by the surface, as an 'ended' for the worker */
	ASSISTANT_BUDGET_UNKNOWN, /* "budget_unknown": likewise: what is left cannot be looked up */
	ASSISTANT_FAULT, /* "fault": ours */
	ASSISTANT_CODE_COUNT
};

const char *assistant_code_name(enum assistant_code code);
/* ASSISTANT_CODE_COUNT for an unknown name. */
enum assistant_code assistant_code_find(const char *name);

#endif
