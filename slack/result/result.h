/*
 * result -- what came of a call, as Slack messages, pages and a file. Pure.
 *
 * Takes the gate's record of an approval (docs/formats.md, as 'show' gives it). Its result
 * is a server's word: texts of it are literal, secrets are struck out (base/text.h), and
 * what does not show is an escape. Arrays of flat objects are tables; RFC 3339 times
 * are shown in the zone of whoever reads; people are names, and nobody is
 * notified; links lead to configured hosts alone. Errors and endings are told in words.
 *
 * Where a server says in words what came of it, a message has these, and its fields are on
 * the pages. What is short is all there. Else the last message says how much of it is there, and it is
 * had whole as pages of a modal, opened by its button, or, beyond SLACK_RESULT_PAGES_MAX,
 * as a text file. Nothing here decides who may see any of it.
 */
#ifndef SLACK_RESULT_H
#define SLACK_RESULT_H

#include "base/json.h"

/* The action_id of each button. Its value is "ID PAGE", the page that it opens. */
#define SLACK_RESULT_SHOW "wingman.result.show" /* in a message: opens a modal */
#define SLACK_RESULT_BACK "wingman.result.back" /* in the modal: updates it */
#define SLACK_RESULT_NEXT "wingman.result.next"

enum {
	SLACK_RESULT_MESSAGES_MAX = 2,
	SLACK_RESULT_PAGES_MAX = 30,
	SLACK_RESULT_FILE_MAX = 4 * 1024 * 1024,
	SLACK_RESULT_NAME_BYTES = 160,
};

struct slack_result_view {
	/* What the button carries and page buttons bring back: plain (slack/text). NULL: the
	 * id of the record. */
	const char *id;
	/* {principal or address: {name?, id?}}: shown as "@name" where a value is exactly that. */
	const json_t *people;
	/*
	 * Where nobody is notified (a change of a message, a modal): a value that is one of
	 * 'people' with an 'id', or the id of a user in a member "user_id" or "slack", is shown
	 * as that user, beside what it says. Else there is no mention at all.
	 */
	bool mentions;
	const json_t *hosts; /* slack/markdown.h */
};

struct slack_result {
	json_t *messages; /* at least one; the last has the button, if there is one */
	size_t pages; /* to be had by the button; 0: all of it stands in the messages */
	bool as_file; /* it is longer than pages may be: there is no button; upload the file */
};
void slack_result_done(struct slack_result *r);

/* A record that has not ended is told as running. ERR_INTERNAL: this is no record. */
bool slack_result_draw(const json_t *record, const struct slack_result_view *view,
		       struct slack_result *ret, struct error *err);

/* Page 'page' (from 1) as a modal view; of what is a file, as much as there are pages for, and
 * the last says how much that is. ERR_NOT_FOUND: there is no such page. New. */
json_t *slack_result_page(const json_t *record, const struct slack_result_view *view,
			  size_t page, size_t *ret_pages, struct error *err) _must_use_;

/* All of it as text to upload, and the name of the file ("accounts.get_account.txt"). What
 * is beyond SLACK_RESULT_FILE_MAX is cut, and the text says so at its end. */
bool slack_result_file(const json_t *record, struct strbuf *ret,
		       char ret_name[static SLACK_RESULT_NAME_BYTES], struct error *err);

/* Where the file could not be uploaded: a message that says so, with a button to the pages.
 * New. */
json_t *slack_result_no_file(const json_t *record, struct error *err) _must_use_;

/* "ID PAGE" as a button brought it. False: it is not one of ours. */
bool slack_result_read_value(const char *value, char *ret_id, size_t id_bytes,
			     size_t *ret_page);

/* While it runs: "accounts.get_account is running, for 12 s." From SLACK_RESULT_STILL_MS
 * on it is "still running". For chat.postMessage and chat.update. New. */
enum { SLACK_RESULT_STILL_MS = 30 * 1000 };
json_t *slack_result_progress(const char *server, const char *tool, int64_t ran_ms,
			      struct error *err) _must_use_;

#endif
