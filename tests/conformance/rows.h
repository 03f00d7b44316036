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
