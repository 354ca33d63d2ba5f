%%{
    # The rules that the heads of requests and responses share, with what is done
    # where they match.  A machine that includes this has, as variables, those
    # that its run() begins with; `head` is what it fills.  See head.h.
    machine head;
    include grammar "grammar.rl";

    action bad_version { fault = HTTP_BAD_VERSION; }
    action bad_line_end { fault = HTTP_BAD_LINE_END; }
    action bad_name { fault = HTTP_BAD_FIELD_NAME; }
    action bad_value { fault = HTTP_BAD_FIELD_VALUE; }
    action unsupported { fault = HTTP_UNSUPPORTED_VERSION; fbreak; }
    action obsolete_fold { fault = HTTP_OBSOLETE_FOLD; fbreak; }
    action complete { fault = HTTP_COMPLETE; fbreak; }

    action minor { head->minor = (uint8_t)(*p - '0'); }
    action field_begins {
        if (count == limits->fields) {
            fault = HTTP_MANY_FIELDS;
            fbreak;
        }
    }
    action name_skip { p = scan_name(p + 1, pe) - 1; }
    action name_ends {
        head->fields[count].name = span(message, line, p);
        head->fields[count].known = http_field_name(line, (size_t)(p - line));
        count++;
        mark = p + 1;
        p = scan_value(mark, pe) - 1;
    }
    action value_skip { p = scan_value(p + 1, pe) - 1; }
    action value_ends { head->fields[count - 1].value = trimmed_span(message, mark, p); }
    action line_ends {
        line = p + 1;
        pe = run_end(limits, message, length, line);
    }

    # RFC 9112, 2.2: what is behind the CR.  Narrower: neither a bare LF nor CRs in
    # front of one end a line, and a bare CR is not taken for SP.
    line_LF = (LF @line_ends) >err(bad_line_end);

    # RFC 9112, 2.3.  Any minor version will do (RFC 9110, 2.5); of another major
    # version the rest is not looked at, nor is a digit behind it.
    HTTP_version = "HTTP/" ("1." DIGIT @minor | [02-9] @unsupported);

    # RFC 9112, 5 and 5.1, with its CRLF.  No white space before the colon; narrower
    # for responses, of which a proxy would take it away.
    field_line = ((tchar $name_skip)+ >field_begins ":" @name_ends) @err(bad_name)
                 (field_value $value_skip CR @value_ends) @err(bad_value)
                 line_LF;

    # RFC 9112, 2.1: the field lines and the empty one.  Narrower: obs-fold (5.2) is
    # found, to be refused by its name; white space before the first field (2.2) is
    # no part of it.
    field_section = (field_line* CR | field_line+ (SP | HTAB) @obsolete_fold)
                    (LF @complete) >err(bad_line_end);
}%%
