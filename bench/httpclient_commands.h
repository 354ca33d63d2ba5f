/* The commands of asynwsgi-httpclient.  argv[0] is the command's name; each gives the exit status.
 */
#ifndef BENCH_HTTPCLIENT_COMMANDS_H
#define BENCH_HTTPCLIENT_COMMANDS_H

int oneraw_main(char **argv);
int bulkfetch_main(char **argv);

#endif
