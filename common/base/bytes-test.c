#include "base/bytes.h"

#include "base/testing.h"

/* Every byte at every place, among others that could mislead a borrow. */
static void test_exact(void **state)
{
	static const unsigned char around[] = { 0x00, 0x01, 0x1f, 0x20, 0x21, 0x22,
						0x5c, 0x7f, 0x80, 0xff, 'a' };

	(void)state;
	for (size_t a = 0; a < sizeof around; a++)
		for (unsigned at = 0; at < BYTES_WORD; at++)
			for (unsigned c = 0; c < 256; c++) {
				char text[BYTES_WORD];

				memset(text, around[a], sizeof text);
				text[at] = (char)c;
				uint64_t word = bytes_word(text);
				assert_int_equal(bytes_any_high(word),
						 c >= 0x80 || around[a] >= 0x80);
				assert_int_equal(bytes_any_below(word, 0x20),
						 c < 0x20 || around[a] < 0x20);
				assert_int_equal(bytes_any_below(word, 0x80),
						 c < 0x80 || around[a] < 0x80);
				assert_int_equal(bytes_any(word, '"'),
						 c == '"' || around[a] == '"');
				assert_int_equal(bytes_any(word, 0xff),
						 c == 0xff || around[a] == 0xff);
				assert_int_equal(bytes_any(word, 0x7f),
						 c == 0x7f || around[a] == 0x7f);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
	};

	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
