/*
 * messages -- everything that may be said to the gate, and what it answers.
 *
 * Frames are proc/channel's: one JSON object {"m": name, "id": n, ...}. Over
 * run/gate.sock the peer speaks first and each request gets exactly one reply
 * {"m":"reply","id":n,"ok":true,...} or {"m":"reply","id":n,"ok":false,
 * "error":{code,message,hint?,details?}}; a watch adds events {"m":"event",...}.
 * A message with an unknown name, an unknown or missing member or a wrong type
 * is refused; on the caller's channel it ends the process, because that is our bug.
 *
 * MESSAGES_VERSION changes with this file.
 *
 * Consoles to keeper, on the Unix socket. The person is the peer's uid, mapped by
 * configuration; an unmapped uid may say hello and status only.
 *   hello       {v}                         -> {v, principal?, team: bool, pin_set: bool, version, why?: of who is not in the team}
 *   propose     {tool: "server.tool", arguments, conversation?, choices?}  -> {approval, state}
 *               or {calls: [{tool, arguments}], conversation?}: two to eight in one decision, run in this order;
 *               both take words_from?: [person], whose words stand in the arguments: four eyes exclude them as well
 *               and sources?: [piece], what was said and read (gate/keeper_sources.h): then an assistant wrote the
 *               arguments, and the prompt says where each value comes from; model?: who hears of the outcome as well
 *   show        {approval}                  -> {record, parts?: one a call of several, progress?: {at, done, total?, words?},
 *                                           what its server says while it runs} (without secrets: no requestState, no grant)
 *   list        {state?, limit?}            -> {records: [summaries]}
 *   decide      {approval, decision: "approve"|"deny", shown, pin?, reason?} -> {state}
 *   cancel      {approval, reason?}         -> {state, revoking?: true}  requester only
 *   revoke      {approval, reason?}         -> the same       approvers; both until the burn. 'revoking': its
 *                                           server is asked to burn the grant unused, and the record's end tells
 *   watch       {approval}                  -> {state}; then events {approval, state, record, progress?} until it ends
 *   notices     {}                          -> {notices: [notice], left}: what this person has not read (gate/notice.h);
 *                                           from then on each new one comes as {"m":"notice", notice}
 *   read        {notice}                    -> {}              its id; it is not told to this person again
 *   tools       {server?, as?}              -> {context: [{server, uri, description}], servers: [{name, url, instance, up, pinned, tools: [definition]}],
 *               rights?: {"server.tool": {call, approve, free}}}: what the policy says of this person, 'as', as things are
 *   explain     {tool, as, arguments?}      -> {rule, why, may_call, may_approve, approvers_needed, four_eyes, free, expires_s, good_for_s,
 *                                           rate?: {calls, per_s}, approvers: [], steps: [{rule, matches, why}],
 *                                           irreversible?: the same for a plan that cannot be undone}
 *   pins        {server}                    -> {differences: [{tool, what}], address, current, digest}
 *               'current' and 'digest' are both the digest that propose_gate pin_server wants; with 'store'
 *               ({server, store}) a process of it said another store, and these are accept_store's arguments
 *   propose_gate {action: "pin_server"|"rotate_key"|"accept_store", arguments} -> {approval, state}  as a destructive call of the server "gate"
 *   set_pin     {pin?, old?}                -> {}              the person's own PIN; absent pin: remove
 *   emergency   {approval, shown, word, pin?} -> {state}     a yes by break-glass; 'word' as gate/emergency.h has it
 *   emergencies {}                          -> {configured, may, why?, down_s, unreviewed: [use]}
 *   review      {approval, reason?}         -> {}              of an emergency; not by who used it
 *   context     {uri, turn?}                -> {read, server, template, label, text, cut}: read for a conversation as its person,
 *               if config/gate.yaml's 'context' names it; the answer may come after others. 'read' names it in sources
 *   status      {}                          -> {uptime_s, pending, approved, executing, servers, epoch, audit: {seq, hash, sound}, kid,
 *               stores: [{server, store?, refused?}]}: where each burns, and which other was refused of late;
 *               membership?: {where, known, age_s?, members?, why?}: with a group of LDAP or Okta, what it said last
 *
 * The Slack process to keeper, on the same socket. Its uid is the one that the configuration
 * names; once it has said hello with its surface the connection takes the messages below,
 * and of those above only status, show, list, tools, context, notices and read: it is nobody's
 * console. 'raw' is a request of Slack's as it came: over HTTP its body with its two
 * headers, over Socket Mode the frame, without (taken only where the configuration says so).
 *   hello       {v, surface: "slack"}       -> {v, team: false, version}
 *   show        {approval}                  -> as above, and 'to': where it goes (gate/slack_where.h)
 *   notices     {}                          -> every end of what Slack has shown or was to show, kept until it is read
 *   slack_who   {user, reason?}             -> {principal?, team, slack: [ids], good_ms?: so long this may be believed}
 *               'reason': why the Slack process refuses this user, which goes into the gate's log
 *   slack_turn  {raw, timestamp?, signature?, begun?} -> {turn, first, kind, user, principal, channel?, thread?, shared}
 *               somebody of the team set something going, or opened App Home (kind "home": for reading alone);
 *               the same request again is the same turn. 'begun': the
 *               turn of the same person that this form belongs to, for the conversation it was begun in
 *   slack_propose {turn, tool, arguments, choices?} or {turn, calls} or {turn, approval, choices}: that
 *               one anew, with one of the choices that its server offered (gate/keeper_pick.h); and people?, outsiders?, words_from?: [users],
 *               model?, sources?             -> {approval, state, to}; in the name of the turn's person. 'outsiders' absent
 *               counts as true where others read along
 *   slack_open  {}                          -> {approvals: [{approval, state}]}: what is open and of Slack's; from
 *                                           then on every transition comes as an event {approval, state, record, to, progress?}, and an event
 *               {changed: "servers"} or {changed: "resource", server, uri} when those did
 *   slack_posted {approval, shown, channel, message_ts, drawn_at, user?} -> {pages, approvable, others_read_along}
 *               where slack/render's message, drawn at that time, stands now; 'user': whose direct messages that is
 *   slack_click {raw, timestamp?, signature?} -> {action, approval, state, user, principal,
 *               revoking?, page?, pages?, drawn_at?, prompt?}: an answer with a prompt is a page to show to that person
 *
 * Keeper to caller (socket pair):
 *   plan        {approval, server, tool, arguments: <canonical text>, ticket, request_state?, assumes?}
 *   execute     {approval, server, tool, arguments, request_state?, grant, look?: true, revoke?: true}
 *               'look': it is only asked what became of this grant, and nothing runs; 'revoke': nor ever will
 *   definitions {server}
 *   probe       {url}                          is the usual surface well?
 *   members     {approval, users}            which of these are in the team's group, now? Slack users, or with a group
 *               or {request, users}          of LDAP or Okta persons; with a number it is for the door, of the whole team
 *   fetch       {approval, server, uri, ticket, listen?: boolean}   read this; 'approval' is the
 *               read's id; 'listen': and say when it changes
 *   answer      {request, status, body}      reply to a server's registration
 * Caller to keeper:
 *   planned     {approval, plan, request_state} | {approval, error}
 *   executed    {approval, result, revoke?: true} | {approval, error, sent: bool, revoke?: true}
 *   progress    {approval, body: {done, total?, words?}}   how far a call is, as its server says
 *   defined     {server, up, tools?, error?}
 *   probed      {up}
 *   membered    {approval, users} | {approval, error}   those who are, in good standing; of the door with its request
 *   register    {request, server, body}      a server's POST /approvals, its token checked
 *   outcome     {request, server, approval, body}
 *   withdraw    {request, server, approval, body}  who asked takes it back, by its server
 *   news        {request, server, approval, body}  what a server says later of a call that it executed
 *   store       {request, server, body}      which store a process of this server has; its token checked
 *   page        {request, page}              somebody opened a page of status
 *   listening   {url}
 *   fetched     {approval, result} | {approval, error}
 *   changed     {server, uri}                a server tells of a resource that may be read for conversations
 */
#ifndef GATE_MESSAGES_H
#define GATE_MESSAGES_H

enum { MESSAGES_VERSION = 4 };

enum message {
	/* surface -> keeper */
	MSG_HELLO,
	MSG_PROPOSE,
	MSG_SHOW,
	MSG_LIST,
	MSG_DECIDE,
	MSG_CANCEL,
	MSG_REVOKE,
	MSG_WATCH,
	MSG_NOTICES,
	MSG_READ,
	MSG_TOOLS,
	MSG_EXPLAIN,
	MSG_PINS,
	MSG_PROPOSE_GATE,
	MSG_SET_PIN,
	MSG_EMERGENCY,
	MSG_EMERGENCIES,
	MSG_REVIEW,
	MSG_STATUS,
	MSG_CONTEXT,
	/* the Slack process -> keeper */
	MSG_SLACK_WHO,
	MSG_SLACK_TURN,
	MSG_SLACK_PROPOSE,
	MSG_SLACK_OPEN,
	MSG_SLACK_POSTED,
	MSG_SLACK_CLICK,
	/* keeper -> surface */
	MSG_REPLY,
	MSG_EVENT,
	MSG_NOTICE,
	/* keeper -> caller */
	MSG_PLAN,
	MSG_EXECUTE,
	MSG_DEFINITIONS,
	MSG_PROBE,
	MSG_MEMBERS,
	MSG_ANSWER,
	MSG_FETCH,
	/* caller -> keeper */
	MSG_PLANNED,
	MSG_EXECUTED,
	MSG_DEFINED,
	MSG_PROBED,
	MSG_MEMBERED,
	MSG_REGISTER,
	MSG_OUTCOME,
	MSG_WITHDRAW,
	MSG_NEWS,
	MSG_PROGRESS,
	MSG_STORE,
	MSG_PAGE,
	MSG_LISTENING,
	MSG_FETCHED,
	MSG_CHANGED,
	MSG_COUNT
};

/* "hello" and so on; the inverse gives MSG_COUNT for an unknown name. */
const char *message_name(enum message m);
enum message message_find(const char *name);

#endif
