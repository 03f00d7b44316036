/*
 * rows -- what the official conformance suite calls by name, as rows of a server.
 *
 * docs/conformance.md tells how it is run. What each of them *is* stands below
 * schemas/, compiled into the server.
 */
#ifndef TESTS_CONFORMANCE_ROWS_H
#define TESTS_CONFORMANCE_ROWS_H

#include "mcp/server.h"

/* An image of one pixel, and a moment of silence. */
extern const unsigned char sample_png[], sample_wav[];
extern const size_t sample_png_bytes, sample_wav_bytes;

/* --- content.c: tools that answer at once --- */

bool simple_text(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool image_content(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool audio_content(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool embedded_resource(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool mixed_content(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool error_handling(struct mcp_call *call, struct mcp_result *r, struct error *err);
/* For schemas that are looked at, and headers that are compared. */
bool say_arguments(struct mcp_call *call, struct mcp_result *r, struct error *err);

/* --- asks.c: what needs an answer first --- */

bool ask_name(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool ask_model(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool ask_roots(struct mcp_call *call, struct mcp_result *r, struct error *err);
/* Also for a state that somebody altered: it never gets here. */
bool ask_with_state(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool ask_three_at_once(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool ask_in_rounds(struct mcp_call *call, struct mcp_result *r, struct error *err);
/* Nothing but what the client can answer. */
bool ask_what_is_possible(struct mcp_call *call, struct mcp_result *r, struct error *err);
/* And this for clients that cannot. */
bool ask_model_at_all_costs(struct mcp_call *call, struct mcp_result *r,
			    struct error *err);
bool prompt_asks(struct mcp_call *call, struct mcp_messages *m, struct error *err);

/* --- forms.c: the same for clients that are asked while the call is under way --- */

bool sample_prompt(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool elicit(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool elicit_defaults(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool elicit_enums(struct mcp_call *call, struct mcp_result *r, struct error *err);

/* --- talks.c: what says something meanwhile --- */

bool tell_progress(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool tell_log(struct mcp_call *call, struct mcp_result *r, struct error *err);
/* The result is fetched on another connection. */
bool come_back(struct mcp_call *call, struct mcp_result *r, struct error *err);

/* --- changes.c: what tells those who listen --- */

bool change_tools(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool change_prompts(struct mcp_call *call, struct mcp_result *r, struct error *err);

/* --- tasks.c: calls that take longer than a request --- */

bool greet(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool compute_slowly(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool fail_as_task(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool break_as_task(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool confirm_as_task(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool ask_twice_as_task(struct mcp_call *call, struct mcp_result *r, struct error *err);
/* Asks before it is a task. */
bool ask_then_task(struct mcp_call *call, struct mcp_result *r, struct error *err);

/* --- context.c: resources and prompts --- */

bool static_text(struct mcp_call *call, struct mcp_contents *c, struct error *err);
bool static_binary(struct mcp_call *call, struct mcp_contents *c, struct error *err);
bool template_data(struct mcp_call *call, struct mcp_contents *c, struct error *err);

bool simple_prompt(struct mcp_call *call, struct mcp_messages *m, struct error *err);
bool prompt_arguments(struct mcp_call *call, struct mcp_messages *m, struct error *err);
bool prompt_resource(struct mcp_call *call, struct mcp_messages *m, struct error *err);
bool prompt_image(struct mcp_call *call, struct mcp_messages *m, struct error *err);
bool complete_argument(struct mcp_call *call, const char *argument, const char *value,
		       struct mcp_values *values, struct error *err);

#endif
