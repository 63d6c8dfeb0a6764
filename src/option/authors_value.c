/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values of a configuration, and where they go.
 */
#include "option/authors.h"

#include "text/number.h"

#include <string.h>

int mdm_authors_find(const char *path)
{
    int i = 0;

    while (mdm_authors_entry_at(i) && strcmp(mdm_authors_entry_at(i)->path, path) != 0)
        i++;
    return mdm_authors_entry_at(i) ? i : -1;
}

const char *mdm_authors_text(const struct mdm_authors_config *c, const char *path)
{
    return c->text[mdm_authors_find(path)];
}

int mdm_authors_alike(const char *a, const char *b)
{
    double x, y;

    return !strcmp(a, b) || (mdm_parse_double(a, &x) == 0 && mdm_parse_double(b, &y) == 0 && x == y);
}

int mdm_authors_put(struct mdm_authors_config *c, const char *path, const char *option, const char *value)
{
    const int status = mdm_options_set(c->options, option, value);
    const long line = c->line[mdm_authors_find(path)];

    if (status >= 0 || status == MASKDM_ENOMEM)
        return status;
    return line ? mdm_fail_prefix(status, "line %ld: %s", line, path)
                : mdm_fail_prefix(status, "%s is missing", path);
}

void mdm_authors_leave(const struct mdm_authors_config *c, const char *path, const char *why)
{
    if (mdm_authors_text(c, path))
        mdm_log_line(c->log, MASKDM_LOG_INFO, "%s %.80s is not taken: %s", path, mdm_authors_text(c, path), why);
}

int mdm_authors_refuse(const struct mdm_authors_config *c, int status, const char *path, const char *why)
{
    return mdm_fail(status, "line %ld: %s %.80s cannot be taken: %s", c->line[mdm_authors_find(path)], path,
                    mdm_authors_text(c, path), why);
}
