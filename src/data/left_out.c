/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counts and lines of what is left out.
 */
#include "data/left_out.h"

#include "base/alloc.h"
#include "base/format.h"

#include <string.h>

static const struct {
    const char *one, *many;
    int level;
} rows[MDM_LEFT_KINDS] = {
    [MDM_LEFT_BROKEN_LINK] = {"broken link", "broken links", MASKDM_LOG_WARN},
    [MDM_LEFT_LINK_CIRCLE] = {"link that leads in a circle", "links that lead in a circle", MASKDM_LOG_WARN},
    [MDM_LEFT_LONG_PATH] = {"path that is too long", "paths that are too long", MASKDM_LOG_WARN},
    [MDM_LEFT_UNREACHABLE] = {"file that cannot be reached", "files that cannot be reached", MASKDM_LOG_WARN},
    [MDM_LEFT_FIFO] = {"FIFO", "FIFOs", MASKDM_LOG_WARN},
    [MDM_LEFT_SOCKET] = {"socket", "sockets", MASKDM_LOG_WARN},
    [MDM_LEFT_DEVICE] = {"device", "devices", MASKDM_LOG_WARN},
    [MDM_LEFT_FOLDER_UNREADABLE] = {"unreadable folder", "unreadable folders", MASKDM_LOG_WARN},
    [MDM_LEFT_FOLDER_LOOP] = {"folder that leads back to one above it", "folders that lead back to one above them",
                              MASKDM_LOG_WARN},
    [MDM_LEFT_FOLDER_DEEP] = {"folder too deep inside others", "folders too deep inside others", MASKDM_LOG_WARN},
    [MDM_LEFT_FOLDER_RUN] = {"folder of a run", "folders of runs", MASKDM_LOG_WARN},
    [MDM_LEFT_HIDDEN] = {"hidden image", "hidden images", MASKDM_LOG_INFO},
    [MDM_LEFT_LINK] = {"link in an archive", "links in an archive", MASKDM_LOG_WARN},
};

/* People keep these beside or in place of images; other files are none of our business. */
static const char *const formats[] = {".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic",    ".heif",
                                      ".jxl", ".jp2", ".svg", ".ico",  ".tga",  ".psd",     ".ppm",
                                      ".pgm", ".exr", ".dng", ".cr2",  ".nef",  ".arw",     ".npy",
                                      ".npz", ".tar", ".zip", ".h5",   ".mat",  ".parquet", ".lmdb"};
_Static_assert(MDM_LENGTH(formats) <= MDM_LEFT_FORMATS, "a kind for each format");

static int small_letter(char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

int mdm_has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), k = strlen(suffix), same = 0;

    if (n <= k)
        return 0;
    while (same < k && small_letter(name[n - k + same]) == suffix[same])
        same++;
    return same == k;
}

int mdm_left_out_format(const char *name)
{
    for (size_t i = 0; i < MDM_LENGTH(formats); i++)
        if (mdm_has_suffix(name, formats[i]))
            return MDM_LEFT_KINDS + (int)i;
    return -1;
}

int mdm_left_out_add(struct mdm_left_out *l, int kind, const char *first)
{
    if (l->kind[kind].count++)
        return MASKDM_OK;
    l->kind[kind].first = mdm_strdup(first);
    return l->kind[kind].first ? MASKDM_OK : mdm_fail_memory(strlen(first) + 1, "what is left out of the data");
}

/* "2 broken links, the first data/x.png" */
static void describe(const struct mdm_left_out *l, int k, char *out, size_t capacity)
{
    long long n = l->kind[k].count;
    const char *which = n == 1 ? "" : "the first ", *first = l->kind[k].first;

    if (k < MDM_LEFT_KINDS)
        mdm_format(out, capacity, "%lld %s, %s%s", n, n == 1 ? rows[k].one : rows[k].many, which, first);
    else
        mdm_format(out, capacity, "%lld %s %s, a format that is not read, %s%s", n, formats[k - MDM_LEFT_KINDS],
                   n == 1 ? "file" : "files", which, first);
}

void mdm_left_out_tell(const struct mdm_left_out *l, const struct mdm_log *log)
{
    char line[MDM_ERROR_TEXT];

    for (int k = 0; k < MDM_LEFT_KINDS + (int)MDM_LENGTH(formats); k++) {
        if (!l->kind[k].count)
            continue;
        describe(l, k, line, sizeof line);
        mdm_log_line(log, k < MDM_LEFT_KINDS ? rows[k].level : MASKDM_LOG_WARN, "left out: %s", line);
    }
}

int mdm_left_out_fail(const struct mdm_left_out *l, const char *path)
{
    char line[MDM_ERROR_TEXT];
    int most = 0;

    for (int k = 1; k < MDM_LEFT_KINDS + (int)MDM_LENGTH(formats); k++)
        if (l->kind[k].count > l->kind[most].count)
            most = k;
    if (!l->kind[most].count)
        return mdm_fail(MASKDM_EINVAL, "no PNG, JPEG or WebP file below \"%s\"", path);
    describe(l, most, line, sizeof line);
    return mdm_fail(MASKDM_EINVAL, "no PNG, JPEG or WebP file below \"%s\", but %s", path, line);
}

void mdm_left_out_free(struct mdm_left_out *l)
{
    for (size_t k = 0; k < MDM_LENGTH(l->kind); k++)
        mdm_free(l->kind[k].first);
    memset(l, 0, sizeof *l);
}
