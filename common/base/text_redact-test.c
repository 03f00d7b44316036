/* text_redact: credentials struck out, other words left, in linear time. */
#include "base/text.h"

#include "base/clock.h"
#include "base/testing.h"

#define R "[redacted]"

static void check(const char *text, const char *want)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	text_redact(&sb, text, strlen(text));
	assert_string_equal(sb.data, want);
}

static void test_left_alone(void **state)
{
	static const char *const texts[] = {
		"",
		"blocked maria.k in okta",
		"the bearer certificate is basic information",
		"token count: 5, tokens=7, max_tokens: 100",
		"secretary, passwords and cookies",
		"https://example.org/a:b@c?d=e",
		"mail a@example.org // no comment: x@y",
		"commit 0123456789abcdef0123456789abcdef01234567",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
		"AKIA",
		"xoxb-",
		"sk-short",
		"ghp_abc",
		"eyJhbGciOiJ",
		"ein Pfüßchen: é",
		/* 41 and 43 of Okta's 42, and hexadecimal ones */
		"00QCjAl4MlV-WPXM_ABCDEFGHIJKLMNOPQRSTUVWX",
		"00QCjAl4MlV-WPXM_ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		"00abcdef0123456789abcdef0123456789abcdef01",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check(texts[i], texts[i]);
}

/* Each by its first letters and long enough; the same letters in a word stay. */
static void test_more_tokens(void **state)
{
	static const char *const prefixes[] = {
		"hvb.",     "AGE-SECRET-KEY-1",
		"SG.",      "hf_",
		"pypi-AgE", "gsk_",
		"ya29.",    "sk_live_",
		"sk_test_", "rk_live_",
		"whsec_",   "shpat_",
		"shpss_",   "dop_v1_",
		"glptt-",   "gldt-",
		"glrt-",    "sntrys_",
		"lin_api_", "tskey-",
		"NRAK-",    "ATATT3",
		"wm_",      "PMAK-",
		"ntn_",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT, want = STRBUF_INIT;

		strbuf_add_format(&sb, "key: %s", prefixes[i]);
		strbuf_add_string(&sb,
				  "0123456789abcdefghijABCDEFGHIJ0123456789abcdefghij");
		check(sb.data, "key: " R);
		strbuf_add_format(&want, "the %s is short", prefixes[i]);
		check(want.data, want.data);
	}
	check("hf_model wm_state SG.1 glrt-5", "hf_model wm_state SG.1 glrt-5");
}

static void test_tokens(void **state)
{
	(void)state;
	check("id AKIAIOSFODNN7EXAMPLE.", "id " R);
	check("(ghp_0123456789abcdefghijABCDEFGHIJ012345)", "(" R ")");
	check("github_pat_11ABCDEFG0123456789_abcdef x", R " x");
	check("xoxb-1234-5678-abcdef", R);
	check("xapp-1-A0-123-abc", R);
	check("my-ghp_0123456789abcdefghijABCDEFGHIJ012345", "my-" R);
	check("https://ghp_0123456789abcdefghijABCDEFGHIJ012345@github.com",
	      "https://" R "@github.com");
	check("okta 00QCjAl4MlV-WPXM_ABCDEFGHIJKLMNOPQRSTUVWXY.", "okta " R ".");
	check("post to https://hooks.slack.com/services/T0/B0/xyz now",
	      "post to https://" R " now");
	check("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1 end", R " end");
	check("sk-"
	      "proj-0123456789abcdefghij",
	      R);
}

static void test_schemes(void **state)
{
	(void)state;
	check("Authorization: Bearer abc123def456", "Authorization: " R);
	check("authorization=basic dXNlcjpwYXNz\nnext", "authorization=" R "\nnext");
	check("sent Bearer abc123def456 to x", "sent Bearer " R " to x");
	check("bearer  0a1b2c3d4e", "bearer  " R);
	check("Authorization: Digest username=\"u\", response=\"0f\"\r\nHost: x",
	      "Authorization: " R "\r\nHost: x");
	check("curl -H 'Authorization: Bearer t0ken' https://x",
	      "curl -H 'Authorization: " R "' https://x");
	check("Cookie: a=b; c=d\nHost: x", "Cookie: " R "\nHost: x");
}

static void test_assignments(void **state)
{
	(void)state;
	check("password=hunter2", "password=" R);
	check("password = hunter2 and more", "password = " R " and more");
	check("PGPASSWORD=x psql", "PGPASSWORD=" R " psql");
	check("db_password: 'a b\\'c' tail", "db_password: '" R "' tail");
	check("a=1&client_secret=abc&b=2", "a=1&client_secret=" R "&b=2");
	check("{\"password\":\"a\\\"b\",\"user\":\"u\"}",
	      "{\"password\":\"" R "\",\"user\":\"u\"}");
	check("{\"apiKey\" : 5, \"x\":1}", "{\"apiKey\" : " R ", \"x\":1}");
	check("X-Api-Key: abc\nx", "X-Api-Key: " R "\nx");
	check("'token' => \"abc\"", "'token' => \"" R "\"");
	check("password=", "password=");
	check("password=\"\"", "password=\"\"");
	check("secret: {\"name\":\"x\"}", "secret: {\"name\":\"x\"}");
	check("\"{\\\"password\\\":\\\"abc\\\",\\\"user\\\":\\\"u\\\"}\"",
	      "\"{\\\"password\\\":\\\"" R "\\\",\\\"user\\\":\\\"u\\\"}\"");
	check("password=\"cut off", "password=\"" R);
	check("a=1%26x&password%3Dhunter2&b=2", "a=1%26x&password%3D" R "&b=2");
	check("AccountName=a;AccountKey=aHVu==;x", "AccountName=a;AccountKey=" R ";x");
	check("X-Amz-Signature=0f0f&y", "X-Amz-Signature=" R "&y");
}

static void test_userinfo(void **state)
{
	(void)state;
	check("postgres://u:p@host/db", "postgres://u:" R "@host/db");
	check("ldap://cn:p@ss:w@host x@y", "ldap://cn:" R "@host x@y");
	check("//:p@h", "//:" R "@h");
	check("https://user@host/", "https://user@host/");
	check("https://host:8080/a@b", "https://host:8080/a@b");
}

static void test_private_keys(void **state)
{
	(void)state;
	check("key:\n-----BEGIN RSA PRIVATE KEY-----\nMII\nabc\n-----END RSA PRIVATE "
	      "KEY-----\ndone",
	      "key:\n" R "\ndone");
	check("-----BEGIN PRIVATE KEY-----\nMII cut off", R);
	check("x-----BEGIN OPENSSH PRIVATE KEY-----\\nb3\\n-----END OPENSSH PRIVATE "
	      "KEY-----y",
	      "x" R "y");
	check("-----BEGIN PRIVATE KEY-----a-----END ", R);
}

/* As a security team meets them: in commands, logs, files and within one another. */
static void test_in_the_wild(void **state)
{
	static const char *const rows[][2] = {
		{ "AKIAIOSFODNN7EXAMPLE / wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		  R " / " R },
		{ "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		  "aws_secret_access_key = " R },
		{ "id=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY,", "id=" R "," },
		{ "1//0gABCDEFGHIJKLMNOPQRSTUVWX-L9IrABCDEFGHIJ", R },
		{ "curl -u admin:hunter2 https://x", "curl -u admin:" R " https://x" },
		{ "sshpass -p hunter2 ssh root@x", "sshpass -p " R " ssh root@x" },
		{ "--password hunter2 --user root", "--password " R " --user root" },
		{ "x --api-key abc", "x --api-key " R },
		{ "DB_PASS=hunter2 x", "DB_PASS=" R " x" },
		{ "{\"pass\":\"hunter2\"}", "{\"pass\":\"" R "\"}" },
		{ "https://x/c?sv=1&sig=abc%2F&x=1", "https://x/c?sv=1&sig=" R "&x=1" },
		{ "Server=db;User Id=sa;Password=P@ss!;Encrypt=true",
		  "Server=db;User Id=sa;Password=" R ";Encrypt=true" },
		{ "mongodb+srv://u:p@c0.test/x", "mongodb+srv://u:" R "@c0.test/x" },
		{ "redis://:hunter2@cache:6379/0", "redis://:" R "@cache:6379/0" },
		{ "login failed user=root password=hunter2 ip=1.2.3.4",
		  "login failed user=root password=" R " ip=1.2.3.4" },
		/* JSON in JSON in JSON */
		{ "{\\\\\\\"password\\\\\\\":\\\\\\\"hunter2\\\\\\\",1}",
		  "{\\\\\\\"password\\\\\\\":\\\\\\\"" R "\\\\\\\",1}" },
		{ "PuTTY-User-Key-File-3: x\nPrivate-Lines: 1\nAAAA\nPrivate-MAC: 0f",
		  R " 0f" },
		/* base64 of "password=hunter2", of a key's id, of a token, of a key's begin */
		{ "data: cGFzc3dvcmQ9aHVudGVyMg== x", "data: " R " x" },
		{ "QUtJQUlPU0ZPRE5ON0VYQU1QTEU=", R },
		{ "\"Z2hwXzAxMjM0NTY3ODlhYmNkZWZnaGlqQUJDREVGR0hJSjAxMjM0NQ==\"",
		  "\"" R "\"" },
		{ "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF\n"
		  "cEFJQkFBS0NBUUVBN2Z5cVl0WnE4\nend",
		  R "\nend" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(rows[i][0], rows[i][1]);
}

/* What people compare and look up by stays as it is. */
static void test_readable(void **state)
{
	static const char *const texts[] = {
		"sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"SHA1=da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"md5: d41d8cd98f00b204e9800998ecf8427e",
		"commit DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
		"550e8400-e29b-41d4-a716-446655440000",
		"docker run -u 1000:1000 busybox, chown -u root",
		"sshd[1]: Failed password for root from 10.0.0.1 port 22 ssh2",
		"ED25519 SHA256:Zm9vYmFyYmF6cXV4cXV1eGZvb2JhcmJhenF1eHF1dXg",
		"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC user@host",
		"arn:aws:iam::123456789012:user/bob in 123456789012",
		"okta 00u1abcd2efgh3ijkl4x7",
		"Documents/Incident2026/Report/Final/Copyx",
		"YmxvY2sgam9obi5kb2UgaW4gb2t0YSBwbGVhc2U= is no secret",
		"token_type=bearer expires_in=3600 token_count=5",
		"config=5 design: yes bypass=1 PASS: test_foo signal=9",
		"key-value-store-with-a-long-long-name-here",
		"kubernetes.io/service-account-token, secretsmanager:GetSecretValue",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check(texts[i], texts[i]);
}

/* Nothing that looks as if it began a secret again and again takes the square of its time. */
static void test_linear(void **state)
{
	static const char *const pieces[] = {
		"eyJ",         "eyJ.",
		"-----BEGIN ", "-----BEGIN PRIVATE KEY",
		"//a:",        "password",
		"password ",   "bearer ",
		"token=\"",    "token:\\\"\\",
		"sk-",         "ghp_",
		"a-",          "\\",
		"xoxb-",       "authorization:'",
		"//",          "AKIA ",
		"a+",          "a=b",
		"\\\\\\\"",    "--token ",
		"PuTTY-User",  "-u a:",
		"YWFh/",       "cGFzc3dvcmQ9aHVudGVyMg== ",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
		while (text.length < 500000)
			strbuf_add_string(&text, pieces[i]);
		int64_t start = clock_mono_ms();
		text_redact(&out, text.data, text.length);
		int64_t took = clock_mono_ms() - start;
		if (took > 5000)
			fail_msg("'%s' took %lld ms", pieces[i], (long long)took);
		assert_true(strbuf_ok(&out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_alone),   cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_more_tokens),  cmocka_unit_test(test_schemes),
		cmocka_unit_test(test_assignments),  cmocka_unit_test(test_userinfo),
		cmocka_unit_test(test_private_keys), cmocka_unit_test(test_linear),
		cmocka_unit_test(test_in_the_wild),  cmocka_unit_test(test_readable),
	};

	return cmocka_run_group_tests_name("text-redact", tests, NULL, NULL);
}
