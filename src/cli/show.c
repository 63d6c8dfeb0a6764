/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a person sees of a run: one live line on a terminal that can draw over it, plain lines otherwise, messages of
 * the library, and the end. Lines that nobody can be told any more are lost without a word.
 */
#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define DRAW_EVERY 0.1 /* seconds between live lines */
#define READ_FIRST 1.0 /* seconds to the first plain line about images read */
#define READ_EVERY 5.0 /* from there to the next ones */

/* State of the one run of this process. */
static const maskdm_options *told;
static int live, drawn, reading_told;
static double drawn_at; /* seconds */
static int64_t line_every = 1;

/* Nothing where it is not known. */
static void time_left(char *out, size_t size, double seconds)
{
    long s = isfinite(seconds) && seconds < 1e8 ? (long)(seconds + 0.5) : -1;

    if (s < 0)
        *out = '\0';
    else if (s < 3600)
        snprintf(out, size, ", %ld:%02ld left", s / 60, s % 60);
    else
        snprintf(out, size, ", %ld:%02ld:%02ld left", s / 3600, s / 60 % 60, s % 60);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A live line must stay on one row, or it could not be drawn over. */
static void draw(const char *line)
{
    struct winsize w;
    int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1 : 79;

    fprintf(stderr, "\r%.*s\033[K", columns, line);
    drawn = 1;
}

static void print_line(const char *line)
{
    if (live)
        draw(line);
    else
        fprintf(stderr, "%s\n", line);
    drawn_at = now();
    fflush(stderr);
}

/* The first line comes late, so that a folder that is read at once stays without. */
static void show_reading(const struct maskdm_progress *p)
{
    const double pause = live ? DRAW_EVERY : reading_told ? READ_EVERY : READ_FIRST;
    char line[96];

    if (now() - drawn_at < pause)
        return;
    reading_told = 1;
    if (p->files_read)
        snprintf(line, sizeof line, "reading images: %lld of %lld", (long long)p->files_read, (long long)p->files);
    else
        snprintf(line, sizeof line, "looking for images: %lld found", (long long)p->files);
    print_line(line);
}

static int on_progress(void *user, const struct maskdm_progress *p)
{
    char left[32], held_out[48] = "", loss[32] = "", skipped[48] = "", speed[48] = "", line[320];

    (void)user;
    if (p->steps == 0) {
        show_reading(p);
        return 0;
    }
    if (p->step != p->steps && (live ? now() - drawn_at < DRAW_EVERY : p->step % line_every != 0))
        return 0;
    time_left(left, sizeof left, p->seconds_left);
    if (isfinite(p->loss))
        snprintf(loss, sizeof loss, ", loss %.4f", p->loss);
    if (isfinite(p->held_out_loss))
        snprintf(held_out, sizeof held_out, ", held out %.4f", p->held_out_loss);
    if (p->skipped)
        snprintf(skipped, sizeof skipped, ", %lld skipped", (long long)p->skipped);
    if (p->images_per_second > 0)
        snprintf(speed, sizeof speed, ", %.4g images/s", p->images_per_second);
    snprintf(line, sizeof line, "step %lld of %lld%s%s%s%s%s", (long long)p->step, (long long)p->steps, loss,
             held_out, skipped, speed, left);
    print_line(line);
    return 0;
}

static void end_line(void)
{
    if (drawn)
        fputc('\n', stderr);
    drawn = 0;
}

static void on_log(void *user, int level, const char *line)
{
    (void)user;
    if (level == MASKDM_LOG_DEBUG)
        return;
    end_line();
    fputs(level == MASKDM_LOG_WARN ? "warning: " : "", stderr);
    print_safe(stderr, line);
    fputc('\n', stderr);
}

static int64_t whole(const maskdm_options *options, const char *name, int64_t otherwise)
{
    char text[32];
    return maskdm_options_get(options, name, text, sizeof text, NULL) < 0 ? otherwise : strtoll(text, NULL, 10);
}

/* A terminal that draws over its lines, in front of somebody who wants that. */
static int can_draw(void)
{
    const char *terminal = getenv("TERM"), *plain = getenv("NO_COLOR");

    return isatty(STDERR_FILENO) && !(terminal && strcmp(terminal, "dumb") == 0) && !(plain && *plain);
}

int show_begin(maskdm_control *control, const maskdm_options *options, const struct command *command)
{
    told = options;
    live = can_draw();
    drawn_at = now();
    line_every = whole(options, "log_every", 50); /* sampling has no log */
    line_every = line_every > 0 ? line_every : 1;
    maskdm_control_set_progress(control, on_progress, NULL);
    maskdm_control_set_log(control, on_log, NULL);
    if (signals_begin(control, trains(command)) < 0) {
        complain(NULL, "%s", strerror(errno));
        return 1;
    }
    return 0;
}

static int has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return 1;
    return 0;
}

/* A word as a shell takes it; one line, whatever is in it. */
static void print_word(const char *s)
{
    const int control = has_control(s);

    if (*s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%") == strlen(s)) {
        fprintf(stderr, " %s", s);
        return;
    }
    fputs(control ? " $'" : " '", stderr);
    for (; *s; s++)
        if (control && ((unsigned char)*s < 0x20 || *s == 0x7f))
            fprintf(stderr, "\\x%02x", (unsigned char)*s);
        else if (control && strchr("'\\", *s))
            fprintf(stderr, "\\%c", *s);
        else
            fputs(*s == '\'' ? "'\\''" : (char[]){*s, '\0'}, stderr);
    fputc('\'', stderr);
}

enum { PATH_SIZE = 4096 };

/* The folder of the work, where there is one; NULL. */
static const char *folder_of(char path[PATH_SIZE], const struct command *command)
{
    size_t needed;

    if (option_type(command->kind, "resume") < 0 ||
        maskdm_options_get(told, "out", path, PATH_SIZE, &needed) < 0 || needed > PATH_SIZE)
        return NULL;
    return path;
}

/* Whether something was left there: a run and a folder of samples begin with their options. */
static int has_file(const char *folder, const char *name)
{
    char path[PATH_SIZE + 32];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

/* A folder, or with a tail what is in it; a name that begins as a flag does, behind ./ */
static void print_path(const char *folder, const char *tail)
{
    char path[PATH_SIZE + 32];

    snprintf(path, sizeof path, "%s%s%s", folder[0] == '-' ? "./" : "", folder, tail);
    print_word(path);
}

static void print_resume(const struct command *command)
{
    char path[PATH_SIZE];
    const char *folder = folder_of(path, command);

    if (!folder || !has_file(folder, "options.json"))
        return;
    fprintf(stderr, "to go on: maskdm %s --resume", command->name);
    print_path(folder, "");
    fputc('\n', stderr);
}

/* What people do with a run that is done. */
static void print_next(const struct command *command)
{
    char path[PATH_SIZE];
    const char *folder = trains(command) ? folder_of(path, command) : NULL;

    if (option_is_on(told, "dry_run") || !folder || !has_file(folder, "model.safetensors"))
        return;
    fputs("next: maskdm sample --model", stderr);
    print_path(folder, "/model.safetensors");
    fputs(" --out grid.png\n", stderr);
    if (strcmp(command->name, "pretrain") == 0) {
        fputs("next: maskdm finetune --init", stderr);
        print_path(folder, "/model.safetensors");
        fputs(" --data DIR --out RUN\n", stderr);
    }
    fputs("next: maskdm plot", stderr);
    print_path(folder, "");
    fputs(" --out loss.svg\n", stderr);
}

int show_end(int status, const struct command *command)
{
    int caught = signals_end();

    end_line();
    if (!comm_speaks())
        return status == MASKDM_OK ? 0 : status == MASKDM_ECANCELED && caught ? 128 + caught : 1;
    if (status == MASKDM_OK) {
        print_next(command);
        return 0;
    }
    complain(command, "%s", maskdm_last_error());
    if (status != MASKDM_ECANCELED || !caught)
        return 1;
    print_resume(command);
    return 128 + caught;
}
