#include "attacks/attack.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* splitmix64 (Steele, Lea and Flood, 2014). */
uint64_t dice_next(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

size_t dice_below(struct dice *d, size_t n)
{
	return (size_t)(dice_next(d) % n);
}

bool dice_chance(struct dice *d, unsigned percent)
{
	return dice_below(d, 100) < percent;
}

/* Each is one character, or what looks like a part of something else. */
static const char *const odd[] = {
	"\x01",
	"\t",
	"\n",
	"\r",
	"\x1b",
	"\x7f",
	"\xc2\x85",
	"\xc2\xa0",
	"\xe2\x80\x8b",
	"\xe2\x80\x8e",
	"\xe2\x80\xae",
	"\xe2\x80\xa8",
	"\xe2\x81\xa6",
	"\xef\xbb\xbf",
	"\xcc\x81",
	"\xd0\xb0",
	"\xce\xbf",
	"\xef\xbc\xa1",
	"\xe2\x80\xa6",
	"\xf0\x9f\x91\xbb",
	"\xe2\x9c\x85",
	"<",
	">",
	"&",
	"*",
	"`",
	"\"",
	"\\",
	"{",
	"}",
	"|",
	"~",
};
static const char *const phrases[] = {
	"<!channel>",
	"approved by bob",
	"</script>",
	"```",
	"\\u0061",
	"https://x.test/a",
	"[ok](http:)",
	"\",\"key\":\"b",
	"alice@example.org",
	"%s%n",
	"null",
	"1e999",
};

void dice_text(struct dice *d, size_t max, struct strbuf *ret)
{
	const bool is_plain = dice_chance(d, 50);
	size_t left = dice_below(d, max < 24 ? max + 1 : 24);

	while (left > 0) {
		const char *phrase = phrases[dice_below(d, ARRAY_SIZE(phrases))];

		if (!is_plain && strlen(phrase) <= left && dice_chance(d, 10)) {
			strbuf_add_string(ret, phrase);
			left -= strlen(phrase);
			continue;
		}
		if (is_plain || dice_chance(d, 50))
			strbuf_add_char(ret, (char)('a' + dice_below(d, 26)));
		else
			strbuf_add_string(ret, odd[dice_below(d, ARRAY_SIZE(odd))]);
		left--;
	}
}

void broken(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)printf("# broken: ");
	(void)vprintf(format, args);
	(void)printf("\nnot ok 1 - the attacks themselves work\n1..1\n");
	va_end(args);
	(void)fflush(stdout);
	_exit(1);
}

void need(bool good, const struct error *err)
{
	if (!good)
		broken("%s (%s)", err->message, err->cause);
}
