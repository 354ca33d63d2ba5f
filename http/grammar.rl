%%{
    # The shared grammar, by the rule names of the RFCs ("-" written as "_").  It
    # holds no actions: a machine that includes it says what is worth marking.
    # Where a rule is narrower or wider than its RFC has it, it says so.
    machine grammar;
    alphtype unsigned char;

    CR = "\r";                                       # RFC 5234, B.1
    LF = "\n";                                       # RFC 5234, B.1
    SP = " ";                                        # RFC 5234, B.1
    HTAB = "\t";                                     # RFC 5234, B.1
    DIGIT = [0-9];                                   # RFC 5234, B.1
    ALPHA = [A-Za-z];                                # RFC 5234, B.1
    HEXDIG = [0-9A-Fa-f];                            # RFC 5234, B.1, where "A" is "a" too (2.3)
    VCHAR = 0x21..0x7e;                              # RFC 5234, B.1

    obs_text = 0x80..0xff;                           # RFC 9110, 5.5
    tchar = ALPHA | DIGIT | [!#$%&'*+\-.^_`|~];      # RFC 9110, 5.6.2
    token = tchar+;                                  # RFC 9110, 5.6.2
    OWS = (SP | HTAB)*;                              # RFC 9110, 5.6.3
    BWS = OWS;                                       # RFC 9110, 5.6.3
    qdtext = HTAB | SP | 0x21 | 0x23..0x5b | 0x5d..0x7e | obs_text; # RFC 9110, 5.6.4
    quoted_pair = "\\" (HTAB | SP | VCHAR | obs_text);              # RFC 9110, 5.6.4
    quoted_string = '"' (qdtext | quoted_pair)* '"';                # RFC 9110, 5.6.4

    # RFC 9110, 5.1
    field_name = token;

    # RFC 9110, 5.5, and with the OWS of RFC 9112, 5, around it: where it ends
    # shows only behind it.  Narrower: other control characters, which a recipient
    # may keep, are in no value.
    field_value = (SP | HTAB | VCHAR | obs_text)*;

    pct_encoded = "%" HEXDIG HEXDIG;                 # RFC 3986, 2.1
    sub_delims = [!$&'()*+,;=];                      # RFC 3986, 2.2
    unreserved = ALPHA | DIGIT | [\-._~];            # RFC 3986, 2.3

    # RFC 3986, 3.2.2
    dec_octet = DIGIT | [1-9] DIGIT | "1" DIGIT{2} | "2" [0-4] DIGIT | "25" [0-5];
    IPv4address = dec_octet "." dec_octet "." dec_octet "." dec_octet;
    h16 = HEXDIG{1,4};
    ls32 = h16 ":" h16 | IPv4address;
    IPv6address =                             (h16 ":"){6} ls32
                |                        "::" (h16 ":"){5} ls32
                |                   h16? "::" (h16 ":"){4} ls32
                | ((h16 ":"){0,1} h16)?  "::" (h16 ":"){3} ls32
                | ((h16 ":"){0,2} h16)?  "::" (h16 ":"){2} ls32
                | ((h16 ":"){0,3} h16)?  "::"  h16 ":"     ls32
                | ((h16 ":"){0,4} h16)?  "::"              ls32
                | ((h16 ":"){0,5} h16)?  "::"              h16
                | ((h16 ":"){0,6} h16)?  "::";

    # RFC 3986, 3.2.2.  Narrower: IPvFuture was never given a meaning, and a zone
    # (RFC 6874) has none outside of its host.
    IP_literal = "[" IPv6address "]";

    # RFC 3986, 3.2.2.  Narrower: not empty (RFC 9110, 4.2.1 and 4.2.2).
    reg_name = (unreserved | pct_encoded | sub_delims)+;

    # RFC 9110, 4.1: "host" of RFC 3986, 3.2.2.  Each IPv4address is a reg-name.
    uri_host = IP_literal | reg_name;

    # RFC 3986, 3.2.3.  Narrower: five digits, and at most 65535, are all there are.
    port = DIGIT{0,4} | [0-5] DIGIT{4} | "6" [0-4] DIGIT{3} | "65" [0-4] DIGIT{2}
         | "655" [0-2] DIGIT | "6553" [0-5];
}%%
