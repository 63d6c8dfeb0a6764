/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm info FILE|RUN [--json]: tensors and metadata of any tensor file, and what maskdm reads from it; how a run
 * is, by its folder; or what a picture says of itself.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RANK = 8 };

static void print_json(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

/* Whether a tensor has the name, behind whatever a checkpoint puts before it. */
static int has_tensor(const maskdm_file *f, const char *name)
{
    size_t n = strlen(name);

    for (int64_t i = 0; i < maskdm_file_count(f); i++) {
        const char *full = maskdm_file_name(f, i);
        size_t length = strlen(full);

        if (length > n && full[length - n - 1] == '.' && strcmp(full + length - n, name) == 0)
            return 1;
    }
    return 0;
}

/* What the file is to maskdm, from its metadata. */
static const char *meaning(const maskdm_file *f)
{
    const char *kind = maskdm_file_metadata(f, "maskdm.kind");

    if (kind && strcmp(kind, "state") == 0)
        return "training state";
    if (kind && strcmp(kind, "adapter") == 0)
        return "adapter";
    if (maskdm_file_metadata(f, "maskdm.network") && !maskdm_file_metadata(f, "maskdm.sets"))
        return "model";
    if (has_tensor(f, "encoder_pos_embed"))
        return "checkpoint of the authors' program";
    return "tensors only";
}

struct totals {
    int64_t parameters, online;
    size_t bytes;
};

static struct totals count(const maskdm_file *f)
{
    struct totals t = {0, 0, 0};

    for (int64_t i = 0; i < maskdm_file_count(f); i++) {
        const char *name = maskdm_file_name(f, i);
        if (strncmp(name, "online.", 7) == 0)
            t.online += maskdm_file_elements(f, i);
        else if (strncmp(name, "moment", 6) != 0 && strncmp(name, "ema.", 4) != 0 &&
                 strcmp(name, "state.counters") != 0)
            t.parameters += maskdm_file_elements(f, i);
        t.bytes += (uint64_t)maskdm_file_bytes(f, i);
    }
    return t;
}

static void print_shape(const maskdm_file *f, int64_t i, const char *separator)
{
    int64_t shape[RANK];
    int rank = maskdm_file_shape(f, i, shape, RANK);

    for (int k = 0; k < rank && k < RANK; k++)
        printf("%s%lld", k ? separator : "", (long long)shape[k]);
}

static void show_json(const maskdm_file *f)
{
    struct totals t = count(f);

    printf("{\"meaning\": ");
    print_json(meaning(f));
    printf(", \"parameters\": %lld, \"bytes\": %llu, \"metadata\": {", (long long)t.parameters,
           (unsigned long long)t.bytes);
    for (int64_t i = 0; i < maskdm_file_metadata_count(f); i++) {
        printf(i ? ", " : "");
        print_json(maskdm_file_metadata_key(f, i));
        printf(": ");
        print_json(maskdm_file_metadata_value(f, i));
    }
    printf("}, \"tensors\": [");
    for (int64_t i = 0; i < maskdm_file_count(f); i++) {
        printf("%s{\"name\": ", i ? ", " : "");
        print_json(maskdm_file_name(f, i));
        printf(", \"dtype\": \"%s\", \"shape\": [", maskdm_file_dtype(f, i));
        print_shape(f, i, ", ");
        printf("], \"bytes\": %llu}", (unsigned long long)maskdm_file_bytes(f, i));
    }
    printf("]}\n");
}

static void show_text(const maskdm_file *f, const char *path)
{
    struct totals t = count(f);

    print_safe(stdout, path);
    printf(": %s, %lld tensors, %.1f MiB\n", meaning(f), (long long)maskdm_file_count(f), (double)t.bytes / 1048576);
    if (strcmp(meaning(f), "tensors only") != 0)
        printf("%lld parameters%s\n", (long long)t.parameters, t.online ? ", and online weights beside the EMA" : "");
    for (int64_t i = 0; i < maskdm_file_metadata_count(f); i++) {
        printf("  ");
        print_safe(stdout, maskdm_file_metadata_key(f, i));
        printf(": ");
        print_safe(stdout, maskdm_file_metadata_value(f, i));
        printf("\n");
    }
    for (int64_t i = 0; i < maskdm_file_count(f); i++) {
        printf("  ");
        print_safe(stdout, maskdm_file_name(f, i));
        printf("  %s [", maskdm_file_dtype(f, i));
        print_shape(f, i, ", ");
        printf("]\n");
    }
}

static int is_folder(const char *path)
{
    char inside[4096];
    const int n = snprintf(inside, sizeof inside, "%s/.", path);

    return n > 0 && (size_t)n < sizeof inside && access(inside, F_OK) == 0;
}

static int is_png(const char *path)
{
    char head[8] = "";
    FILE *file = fopen(path, "rb");
    const size_t n = file ? fread(head, 1, sizeof head, file) : 0;

    if (file)
        fclose(file);
    return n == sizeof head && memcmp(head, "\211PNG\r\n\032\n", sizeof head) == 0;
}

static int show_report(const struct command *command, const char *path, int json)
{
    if (maskdm_report(path, json, print_page, stdout) == MASKDM_OK)
        return said(command);
    complain(command, "%s", maskdm_last_error());
    return 1;
}

int run_info(const struct command *command, int argument_count, char **arguments)
{
    const char *path = NULL;
    maskdm_file *f;
    int json = 0;

    for (int i = 0; i < argument_count; i++) {
        if (strcmp(arguments[i], "--json") == 0)
            json = 1;
        else if (arguments[i][0] == '-' || path) {
            complain(command, "\"%.100s\": usage: maskdm info %s", arguments[i], command->usage);
            return EXIT_WRONG_USE;
        } else
            path = arguments[i];
    }
    if (!path) {
        complain(command, "usage: maskdm info %s", command->usage);
        return EXIT_WRONG_USE;
    }
    if (is_folder(path) || is_png(path))
        return show_report(command, path, json);
    if (maskdm_file_open(&f, path) < 0) {
        complain(command, "%s", maskdm_last_error());
        return 1;
    }
    if (json)
        show_json(f);
    else
        show_text(f, path);
    maskdm_file_release(&f);
    return said(command);
}
