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
    action obsolete_fold {
        fault = head->field_count > 0 ? HTTP_OBSOLETE_FOLD : HTTP_BAD_FIELD_NAME;
        fbreak;
    }
    action complete { fault = HTTP_COMPLETE; fbreak; }

    action minor { head->minor = (uint8_t)(*p - '0'); }
    action field_begins {
        if (head->field_count == limits->fields) {
            fault = HTTP_MANY_FIELDS;
            fbreak;
        }
    }
    action name_ends {
        head->fields[head->field_count].name = span(message, line, p);
        head->fields[head->field_count].known = http_field_name(line, (size_t)(p - line));
        mark = p + 1;
    }
    action value_skip { p = scan_text(p + 1, pe, message) - 1; }
    action value_ends {
        head->fields[head->field_count++].value = trimmed_span(message, mark, p);
    }
    action line_ends { line = p + 1; }
    action plain_lines {
        line = http_plain_get()->lines(limits, message, line, end, head->fields, &head->field_count);
        pe = line_end(line, end, limits->field);
        p = line - 1;
    }

    # RFC 9112, 2.2: what is behind the CR.  Narrower: neither a bare LF nor CRs in
    # front of one end a line, and a bare CR is not taken for SP.
    line_LF = (LF @line_ends) >err(bad_line_end);

    # RFC 9112, 2.3.  Any minor version will do (RFC 9110, 2.5); of another major
    # version the rest is not looked at, nor is a digit behind it.
    HTTP_version = "HTTP/" ("1." DIGIT @minor | [02-9] @unsupported);

    # RFC 9112, 5 and 5.1, with its CRLF.  No white space before the colon; narrower
    # for responses, of which a proxy would take it away.
    field_line = (field_name >field_begins ":" @name_ends) @err(bad_name)
                 (field_value $value_skip CR @value_ends) @err(bad_value)
                 line_LF @plain_lines;

    # RFC 9112, 2.1: the field lines and the empty one.  Narrower: obs-fold (5.2) is
    # found, to be refused by its name; white space before the first field (2.2) is
    # no part of it.
    field_section = field_line* (CR | (SP | HTAB) @obsolete_fold)
                    (LF @complete) >err(bad_line_end);
}%%
