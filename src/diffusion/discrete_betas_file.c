/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading betas, line by line.
 */
#include "diffusion/discrete_betas_file.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/discrete_betas.h"
#include "os/file.h"
#include "text/number.h"
#include "text/text.h"

#include <string.h>

enum { MOST_BYTES = 8 << 20, LONGEST = 63 };

/* One line without its end: 1 where there is a number, 0 where there is none, or EFORMAT. */
static int read_line(double *out, const char *at, size_t n, int64_t number)
{
    char word[LONGEST + 1];

    while (n && (at[n - 1] == '\r' || at[n - 1] == ' ' || at[n - 1] == '\t'))
        n--;
    while (n && (*at == ' ' || *at == '\t'))
        at++, n--;
    if (!n || *at == '#')
        return 0;
    memcpy(word, at, n < LONGEST ? n : LONGEST);
    word[n < LONGEST ? n : LONGEST] = '\0';
    if (n > LONGEST || strlen(word) != n || mdm_parse_double(word, out))
        return mdm_fail(MASKDM_EFORMAT, "line %lld is no number: \"%.20s\"", (long long)number, word);
    return 1;
}

/* How many lines there could be. */
static int64_t count_lines(const char *text, size_t n)
{
    int64_t lines = 1;

    for (const char *at = text; (at = memchr(at, '\n', n - (size_t)(at - text))); at++)
        lines++;
    return lines;
}

static int parse_into(double *beta, int64_t room, int64_t *count, const char *text, size_t n)
{
    const char *end = text + n;

    *count = 0;
    for (int64_t number = 1; text < end; number++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        const size_t length = (size_t)((stop ? stop : end) - text);
        double value;
        const int found = read_line(&value, text, length, number);

        MDM_TRY(found);
        if (found && *count == room)
            return mdm_fail(MASKDM_EFORMAT, "more than %d betas", MDM_MOST_BETAS);
        if (found)
            beta[(*count)++] = value;
        text += length + 1;
    }
    return *count ? MASKDM_OK : mdm_fail(MASKDM_EFORMAT, "no betas in it");
}

int mdm_betas_parse(double **beta, int64_t *count, const char *text, size_t n)
{
    const int64_t lines = count_lines(text, n), room = lines < MDM_MOST_BETAS ? lines : MDM_MOST_BETAS;
    int status;

    *beta = mdm_need((size_t)room, sizeof **beta, "betas");
    if (!*beta)
        return MASKDM_ENOMEM;
    status = parse_into(*beta, room, count, text, n);
    if (status < 0) {
        mdm_free(*beta);
        *beta = NULL;
    }
    return status;
}

int mdm_betas_read(double **beta, int64_t *count, const char *path)
{
    char *text;
    size_t n;
    int status;

    *beta = NULL;
    MDM_TRY(mdm_file_read_all(&text, &n, path, MOST_BYTES));
    status = mdm_betas_parse(beta, count, text, n);
    mdm_free(text);
    return status == MASKDM_EFORMAT ? mdm_fail_prefix(status, "%s", path) : status;
}

int mdm_betas_keep(maskdm_options *options, const double *beta, int64_t count)
{
    static const char no_file[] = "{\"betas_file\": null}";
    struct mdm_text text = {0};
    int status;

    for (int64_t t = 0; t < count; t++) {
        mdm_text_add(&text, t ? "," : "");
        mdm_text_add_double(&text, beta[t]);
    }
    status = mdm_text_ok(&text);
    if (status == MASKDM_OK)
        status = mdm_options_set(options, "given_betas", text.data);
    mdm_text_free(&text);
    return status == MASKDM_OK ? mdm_options_parse_json(options, no_file, sizeof no_file - 1) : status;
}
