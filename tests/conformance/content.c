#include "conformance/rows.h"

const unsigned char sample_png[] = {
	0x89, 'P',  'N',  'G',  0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d,
	'I',  'H',  'D',  'R',  0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01,
	0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00, 0x00, 0x00,
	0x0d, 'I',  'D',  'A',  'T',  0x78, 0xda, 0x63, 0x64, 0xf8, 0xcf, 0x50,
	0x0f, 0x00, 0x03, 0x86, 0x01, 0x80, 0x5a, 0x34, 0x7d, 0x6b, 0x00, 0x00,
	0x00, 0x00, 'I',  'E',  'N',  'D',  0xae, 0x42, 0x60, 0x82,
};
const size_t sample_png_bytes = sizeof sample_png;

/* One channel, 8000 samples a second of 16 bits, four of them. */
const unsigned char sample_wav[] = {
	'R', 'I', 'F',  'F',  44, 0, 0, 0, 'W', 'A', 'V', 'E',  'f',
	'm', 't', ' ',  16,   0,  0, 0, 1, 0,   1,   0,   0x40, 0x1f,
	0,   0,   0x80, 0x3e, 0,  0, 2, 0, 16,  0,   'd', 'a',  't',
	'a', 8,   0,    0,    0,  0, 0, 0, 0,   0,   0,   0,    0,
};
const size_t sample_wav_bytes = sizeof sample_wav;

bool simple_text(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)call;
	(void)err;
	mcp_result_text(r, "This is a simple text response for testing.");
	return true;
}

static json_t *image(void)
{
	return mcp_block_data("image", "image/png", sample_png, sample_png_bytes);
}

bool image_content(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)call;
	(void)err;
	mcp_result_block(r, image());
	return true;
}

bool audio_content(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)call;
	(void)err;
	mcp_result_block(
		r, mcp_block_data("audio", "audio/wav", sample_wav, sample_wav_bytes));
	return true;
}

bool embedded_resource(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)call;
	(void)err;
	mcp_result_block(r, mcp_block_resource("test://embedded-resource", "text/plain",
					       "This is an embedded resource content."));
	return true;
}

bool mixed_content(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)call;
	(void)err;
	mcp_result_text(r, "Multiple content types test:");
	mcp_result_block(r, image());
	mcp_result_block(r, mcp_block_resource("test://mixed-content-resource",
					       "application/json",
					       "{\"test\":\"data\",\"value\":123}"));
	return true;
}

bool error_handling(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)call;
	(void)err;
	mcp_result_text(r, "This tool intentionally returns an error for testing");
	mcp_result_failed(r);
	return true;
}

bool say_arguments(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	_cleanup_free_ char *text = json_dumps(mcp_call_arguments(call), JSON_COMPACT);

	if (!text)
		return error_oom(err);
	mcp_result_text(r, "Called with %s.", text);
	return true;
}
