%%{
    # The shared grammar, by the rule names of the RFCs ("-" written as "_").  It
    # holds no actions: a machine that includes it says what is worth marking.
    # Where a rule is narrower or wider than its RFC has it, it says so.
    machine grammar;
    alphtype unsigned char;

    # RFC 5234, B.1
    CR = "\r";
    LF = "\n";
    SP = " ";
    HTAB = "\t";
    DIGIT = [0-9];
    ALPHA = [A-Za-z];
    HEXDIG = [0-9A-Fa-f];
    VCHAR = 0x21..0x7e;

    # RFC 9110, 5.5, 5.6.2 to 5.6.4
    obs_text = 0x80..0xff;
    tchar = ALPHA | DIGIT | [!#$%&'*+\-.^_`|~];
    token = tchar+;
    OWS = (SP | HTAB)*;
    BWS = OWS;
    qdtext = HTAB | SP | 0x21 | 0x23..0x5b | 0x5d..0x7e | obs_text;
    quoted_pair = "\\" (HTAB | SP | VCHAR | obs_text);
    quoted_string = '"' (qdtext | quoted_pair)* '"';

    # RFC 9112, 5.  The value stands here with the OWS around it: where it ends
    # shows only behind it.
    field_name = token;
    field_value = (SP | HTAB | VCHAR | obs_text)*;

    # RFC 3986, 2.1 to 2.3
    pct_encoded = "%" HEXDIG HEXDIG;
    unreserved = ALPHA | DIGIT | [\-._~];
    sub_delims = [!$&'()*+,;=];

    # RFC 3986, 3.2.2.  IPvFuture is left out: it was never given a meaning.
    # Here reg-name is not empty (RFC 9110, 4.2.1).
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
    IP_literal = "[" IPv6address "]";
    reg_name = (unreserved | pct_encoded | sub_delims)+;
    uri_host = IP_literal | reg_name;

    # RFC 3986, 3.2.3: at most 65535.
    port = DIGIT{0,4} | [0-5] DIGIT{4} | "6" [0-4] DIGIT{3} | "65" [0-4] DIGIT{2}
         | "655" [0-2] DIGIT | "6553" [0-5];
}%%
